"""Errors that a user can act on, the exit codes they end with, and the helpers that word them.

Every other exception is a defect of this platform. A `UserError` is one clear sentence: what was given,
what was expected, and the fix; the command line prints it without a traceback and exits with its code.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """What a command's exit status means. The README's table is checked against this list."""

    OK = 0
    DEFECT = 1
    USAGE = 2
    VERDICT = 3
    LOCKED = 4
    BAD_DATA = 5
    NOT_BUILT = 6


EXIT_MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "the command did what it was asked to do",
    ExitCode.DEFECT: "an unexpected error: a defect of this platform, please report it",
    ExitCode.USAGE: "an option, a name or a date is not valid",
    ExitCode.VERDICT: "the verdict is negative (a catalogue with errors; with --strict, say, not promoted)",
    ExitCode.LOCKED: "another command is writing in this workspace",
    ExitCode.BAD_DATA: "the source's data were refused; nothing was changed",
    ExitCode.NOT_BUILT: "something this command needs is missing; the message says which command makes it",
}


# Names that a sentence lists when none is near.
_SHOWN: Final = 15


class UserError(Exception):
    """One clear sentence for the user, and the exit code that goes with it.

    Where several things are wrong at once, one sentence a line.
    """

    def __init__(self, sentence: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code

    def under(self, owner: str) -> UserError:
        """The same with the part that it is about in front of every sentence."""
        return UserError("\n".join(f"{owner}: {line}" for line in str(self).splitlines()), self.exit_code)


def together(errors: Iterable[UserError]) -> UserError:
    """Several errors as one, each sentence once."""
    found = list(errors)
    lines = dict.fromkeys(line for error in found for line in str(error).splitlines())
    return UserError("\n".join(lines), found[0].exit_code)


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a name that is not among the known ones, with the nearest as a hint."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    hint = f"did you mean {near[0]!r}?" if near else f"known are: {shown or 'none'}."
    return UserError(f"{kind} not found: {name!r}. Hint: {hint}")

"""Draws docs/answer.svg: what `nextbest decide` answers for a customer of the sample, as a terminal shows it.

    make picture            # after `make run`; CUSTOMER=ID names another household

The picture is the command's own output, so that it cannot show an answer the platform does not give.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 88
# The template's web fonts would be fetched from elsewhere; a reader's own monospaced font does as well.
FOREIGN = re.compile(r"@font-face\s*{{.*?}}|<!--.*?-->", re.DOTALL)


def draw(customer: str, file: Path) -> None:
    """Run the command and write its output as an SVG."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    command = ["nextbest", "decide", "--customer", customer]
    answer = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "cli", *command[1:]],
        env={**os.environ, "COLUMNS": str(WIDTH)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {shlex.join(command)}", style="bold green"))
    for line in answer.splitlines():
        numbered = re.match(r"\d+\. ", line)
        console.print(Text(line, style="bold" if numbered else ""))
    template = FOREIGN.sub("", CONSOLE_SVG_FORMAT)
    file.write_text(console.export_svg(title="nextbest", code_format=template), encoding="utf-8")


if __name__ == "__main__":
    draw(sys.argv[1], Path(__file__).with_name("answer.svg"))

from __future__ import annotations

from features.errors import EXIT_MEANINGS, ExitCode, UserError, together, unknown


def test_the_nearest_name_is_suggested() -> None:
    error = unknown("feature", "visits_29", ["visits_28", "spend_28"])
    assert str(error) == "feature not found: 'visits_29'. Hint: did you mean 'visits_28'?"
    assert error.exit_code is ExitCode.USAGE


def test_without_a_near_name_all_are_listed() -> None:
    assert str(unknown("task", "zzz", ["b", "a"])) == "task not found: 'zzz'. Hint: known are: a, b."
    assert str(unknown("task", "zzz", [])) == "task not found: 'zzz'. Hint: known are: none."


def test_every_exit_code_has_one_meaning() -> None:
    assert set(EXIT_MEANINGS) == set(ExitCode)
    assert len(set(EXIT_MEANINGS.values())) == len(ExitCode)
    assert UserError("x", ExitCode.LOCKED).exit_code == 4


def test_a_long_list_of_names_is_cut() -> None:
    sentence = str(unknown("feature", "zzz", [f"a{number:02}" for number in range(40)]))
    assert sentence.endswith("a13, a14 and 25 more.")


def test_several_errors_are_one_with_a_sentence_a_line() -> None:
    first, second = UserError("x is 1.\ny is 2.", ExitCode.BAD_DATA), UserError("y is 2.")
    found = together([first.under("a"), second, second])
    assert str(found).splitlines() == ["a: x is 1.", "a: y is 2.", "y is 2."]
    assert found.exit_code is ExitCode.BAD_DATA

"""The bar on a terminal, and its lines in a log."""

from __future__ import annotations

import io

from gateway.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_one_line_that_grows():
    stream = Terminal()
    with ProgressBar("writing", stream) as bar:
        for at in range(1001):
            bar(at / 1000)
    shown = stream.getvalue()
    assert shown.count("\r") == 101
    assert shown.endswith(f"\rwriting [{'#' * 32}] 100 %\n")
    assert "\n" not in shown[:-1]


def test_a_log_gets_a_line_at_every_tenth():
    stream = io.StringIO()
    with ProgressBar("writing", stream) as bar:
        for at in range(1001):
            bar(at / 1000)
    assert stream.getvalue().splitlines() == [f"writing {percent} %" for percent in range(0, 101, 10)]


def test_nonsense_is_clamped_and_going_back_is_not_shown():
    stream = io.StringIO()
    with ProgressBar("x", stream) as bar:
        for fraction in (-1, 0.5, 0.2, 7):
            bar(fraction)
    assert stream.getvalue().splitlines() == ["x 0 %", "x 50 %", "x 100 %"]


def test_nothing_is_shown_for_what_never_began():
    stream = Terminal()
    with ProgressBar("x", stream):
        pass
    assert stream.getvalue() == ""

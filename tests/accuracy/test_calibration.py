from __future__ import annotations

import pytest

from .calibration import bins, plot, table


def test_bins_say_what_was_stated_and_what_was_right():
    found = bins([(0.82, True), (0.84, True), (0.81, False), (0.83, True), (1.0, True), (0.5, False)])
    assert [(low, high, count) for low, high, count, *_ in found] == [(0.0, 0.7, 1), (0.8, 0.85, 4), (0.95, 1.0, 1)]
    assert found[1][3] == pytest.approx(0.825)
    assert found[1][4] == 0.75


def test_the_plot_puts_both_on_one_place_where_they_agree():
    lines = plot([(0.82, True)] * 17 + [(0.82, False)] * 3)  # 85 % right
    assert next(line for line in lines if "@" in line).startswith("  90 %")
    apart = plot([(0.96, False)] * 4)
    assert sum("o" in line or "/" in line for line in apart) == 1  # nothing right: only what was stated is shown
    assert len(table([(0.96, False)])) == 3

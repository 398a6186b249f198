from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.change_points import change_points
from analytics.patterns import analyze

Noise = Callable[[str, int], np.ndarray]
START = 1_790_000_000_000
HOUR = 3_600_000
TIMES = START + HOUR * np.arange(700, dtype=np.int64)


def test_every_lasting_change_is_found_with_its_levels(noise: Noise) -> None:
    values = 20 + 0.5 * noise("white", 700)
    values[200:] += 6
    values[480:] += 5
    found = change_points(TIMES, values)
    assert [round((each.at_ms - START) / HOUR) for each in found] == pytest.approx([200, 480], abs=3)
    assert [each.before for each in found] == pytest.approx([20, 26], abs=0.3)
    assert [each.after for each in found] == pytest.approx([26, 31], abs=0.3)


@pytest.mark.parametrize("kind", ["white", "walk", "ar0.95"])
def test_noise_has_none(noise: Noise, kind: str) -> None:
    assert change_points(TIMES, noise(kind, 700)) == ()


def test_a_slope_and_a_constant_have_none(noise: Noise) -> None:
    assert change_points(TIMES, np.linspace(0, 50, 700) + 0.3 * noise("white", 700)) == ()
    assert change_points(TIMES, np.full(700, 4.0)) == ()
    assert change_points(TIMES[:2], np.array([1.0, 2.0])) == ()


def test_the_pattern_of_a_new_level_names_the_earlier_changes(noise: Noise) -> None:
    values = 20 + 0.5 * noise("white", 700)
    values[200:] += 6
    values[480:] += 5
    patterns = analyze({"m": (TIMES, values)}, int(TIMES[-1]), Catalogue()).patterns
    (level,) = [each for each in patterns if each.pattern_type == "baseline"]
    points = level.data["change_points"]
    assert len(points) == 2
    assert points[0]["after"] == pytest.approx(26, abs=0.3)
    assert points[0]["timestamp"] == pytest.approx(TIMES[200] / 1000, abs=4 * 3600)

"""Checks of refrigerator and freezer."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_cold import duty_grew, warming
from analytics.coach_sign import STAYS

from .coach_days import Days, strength


@pytest.mark.parametrize("check", [warming, duty_grew])
def test_sound_and_unknown_are_quiet(shipped_catalogue: Catalogue, check) -> None:
    days = Days(10, 8)
    assert strength(check, days.view(shipped_catalogue)) < 0.5
    assert list(check(days.view(shipped_catalogue, tuple(days.values)))) == []


@pytest.mark.parametrize(("metric", "rate"), [("fridge.temperature", 1.0), ("freezer.temperature", 1.5)])
def test_getting_warm(shipped_catalogue: Catalogue, metric: str, rate: float) -> None:
    days = Days(10, 8)
    late = days.last(3)
    days.values[metric][late] += rate * np.arange(late.stop - late.start) / 12
    assert strength(warming, days.view(shipped_catalogue), metric) > 1
    days.values[metric][days.last(1)] = days.values[metric][:12]  # it was an open door
    assert strength(warming, days.view(shipped_catalogue), metric) < 0.5


def test_what_stays_warm_is_not_usual(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 8)
    late = days.last(30)
    days.values["fridge.temperature"][late] += np.minimum(9.0, np.arange(late.stop - late.start) / 12)
    assert strength(warming, days.view(shipped_catalogue)) >= STAYS
    days.values["fridge.temperature"][days.last(1)] = days.values["fridge.temperature"][:12]
    assert strength(warming, days.view(shipped_catalogue)) < 0.5


def test_a_door_that_does_not_seal(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 8)
    day = days.last(26)
    days.values["fridge.compressor.on"][day] = (np.arange(day.stop - day.start) % 10 < 5).astype(float)
    (sign,) = duty_grew(days.view(shipped_catalogue))
    assert sign.strength > 1.2
    assert sign.facts["times"] == "1.5"


def test_a_refrigerator_that_was_warm_and_is_repaired_has_no_leaking_seal(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 8)
    days.values["fridge.compressor.on"][days.last(16)] = 1
    assert strength(duty_grew, days.view(shipped_catalogue)) > 1
    days.values["fridge.temperature"][days.last(16)] += 6
    turn = days.last(5)
    days.values["fridge.compressor.on"][turn] = (np.arange(turn.stop - turn.start) % 9 < 3).astype(float)
    days.values["fridge.temperature"][turn] -= 6
    assert strength(duty_grew, days.view(shipped_catalogue)) < 0.7


def test_a_hot_day_asks_for_more(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 8)
    day = days.last(26)
    days.values["fridge.compressor.on"][day] = (np.arange(day.stop - day.start) % 10 < 5).astype(float)
    days.values["climate.front.temperature"][day] += 9
    assert strength(duty_grew, days.view(shipped_catalogue)) < 0.7

"""Checks of bus, core and sensors."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_system import errors, noisy, rate_drop, slowed
from analytics.coach_view import CoachView

from .coach_days import START_MS, Days, strength


@pytest.mark.parametrize("check", [rate_drop, slowed, errors, noisy])
def test_sound_and_unknown_are_quiet(shipped_catalogue: Catalogue, check) -> None:
    days = Days(6, 8)
    assert strength(check, days.view(shipped_catalogue)) < 0.5
    assert list(check(days.view(shipped_catalogue, tuple(days.values)))) == []
    assert strength(check, Days(0, 8).view(shipped_catalogue)) == 0


@pytest.mark.parametrize(
    ("check", "metric", "value"),
    [
        (rate_drop, "can.message_rate", 25.0),
        (slowed, "api.response_time", 400.0),
        (errors, "api.error_rate", 6.0),
        (errors, "can.error_rate", 4.0),
    ],
)
def test_told_when_it_lasts_a_quarter_of_an_hour(
    shipped_catalogue: Catalogue, check, metric: str, value: float
) -> None:
    days = Days(6, 8)
    days.values[metric][days.last(1 / 12)] = value
    assert strength(check, days.view(shipped_catalogue)) < 0.7
    days.values[metric][days.last(0.5)] = value
    assert strength(check, days.view(shipped_catalogue)) > 1


@pytest.mark.parametrize(
    ("check", "metric", "value"),
    [(rate_drop, "can.message_rate", 25.0), (slowed, "api.response_time", 400.0), (errors, "api.error_rate", 6.0)],
)
def test_what_lasts_for_days_is_not_over(shipped_catalogue: Catalogue, check, metric: str, value: float) -> None:
    days = Days(10, 8)
    days.values[metric][days.last(60)] = value
    (sign,) = (sign for sign in check(days.view(shipped_catalogue)) if sign.track.name == metric)
    assert sign.strength > 1
    days.values[metric][days.last(0.25)] = days.values[metric][:3]
    assert strength(check, days.view(shipped_catalogue), metric) < 0.5


def test_a_bus_that_calms_down_after_a_journey(shipped_catalogue: Catalogue) -> None:
    days = Days(6, 8)
    days.values["can.message_rate"][days.last(12)] += 48
    days.values["can.message_rate"][days.last(1)] -= 48
    assert strength(rate_drop, days.view(shipped_catalogue)) < 0.5


def test_a_loose_wire(shipped_catalogue: Catalogue) -> None:
    days = Days(6, 8)
    log = days.log(shipped_catalogue)
    name = "climate.front.temperature"
    begin_ms = START_MS + days.slots * 300_000
    times = begin_ms + np.arange(60, dtype=np.int64) * 60_000
    values = 21 + np.random.default_rng(1).normal(0, 1.5, 60)
    for other, spec in ((each, shipped_catalogue.spec(each)) for each in days.values if each != name):
        log.take(other, spec, times, np.full(60, days.values[other][-1]), begin_ms + 3_600_000)
    log.take(name, shipped_catalogue.spec(name), times, values, begin_ms + 3_600_000)
    view = CoachView(log, lambda times: times, log.end_slot)
    assert strength(noisy, view, name) > 1.5
    assert max(sign.strength for sign in noisy(view) if sign.track.name != name) < 1

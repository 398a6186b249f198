"""Forecasts of tanks."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.catalogue import Catalogue
from analytics.coach_log import SLOT_MS
from analytics.coach_tanks import tanks_ahead
from analytics.coach_view import CoachView
from analytics.records import FindingKind

from .coach_days import START_MS, Days, strength


def test_sound_and_unknown_are_quiet(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 8)
    assert strength(tanks_ahead, days.view(shipped_catalogue)) < 1
    assert list(tanks_ahead(days.view(shipped_catalogue, tuple(days.values)))) == []
    assert list(tanks_ahead(Days(1).view(shipped_catalogue))) == []


@pytest.mark.parametrize(
    ("metric", "level", "kind"),
    [
        ("tank.fresh.level", 6.0, FindingKind.EMPTY_AHEAD), ("tank.gray.level", 95.0, FindingKind.FULL_AHEAD),
        ("tank.propane.level", 2.3, FindingKind.EMPTY_AHEAD),
    ],
)  # fmt: skip
def test_soon_empty_or_full(shipped_catalogue: Catalogue, metric: str, level: float, kind: FindingKind) -> None:
    days = Days(10, 17)
    column = days.values[metric]
    served = np.flatnonzero(np.abs(np.diff(column)) > 20)  # filled or emptied: before that it was as full as it was
    column[served[-1] + 1 if len(served) else 0 :] += level - column[-1]
    assert column.max() <= 110  # beyond it is not plausible, and not read
    sign = next(sign for sign in tanks_ahead(days.view(shipped_catalogue)) if sign.track.name == metric)
    assert sign.kind == kind
    assert sign.strength > 1
    assert 0 < sign.numbers["hours_left"] < 24


def test_a_tank_that_sends_its_level_only_when_it_changes(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 17)
    level = days.values["tank.fresh.level"]
    level += 6.0 - level[-1]
    log = days.log(shipped_catalogue, without=("tank.fresh.level",))
    changed = np.flatnonzero(np.diff(level, prepend=np.nan) != 0)
    spec = shipped_catalogue.spec("tank.fresh.level")
    log.take("tank.fresh.level", spec, START_MS + changed * SLOT_MS, level[changed], START_MS + days.slots * SLOT_MS)
    view = CoachView(log, lambda times: times, log.end_slot)
    assert strength(tanks_ahead, view, "tank.fresh.level") > 1


def test_a_tank_that_was_filled_is_said_not_to_run_out(shipped_catalogue: Catalogue) -> None:
    days = Days(10, 17)
    days.values["tank.fresh.level"][:] = np.linspace(30, 27.5, days.slots)  # a quarter of a per cent a day
    days.values["tank.fresh.level"][days.last(1)] = 97
    (sign,) = (sign for sign in tanks_ahead(days.view(shipped_catalogue)) if sign.track.name == "tank.fresh.level")
    assert sign.strength < 0.1
    assert sign.numbers["hours_left"] == 999


def test_use_at_night_is_nights_use(shipped_catalogue: Catalogue) -> None:
    """At 22:00 the same level lasts until the morning's shower; at 17:00 the evening's takes it."""
    left = {}
    for hour in (17, 22):
        days = Days(10, hour)
        days.values["tank.fresh.level"] += 6.0 - days.values["tank.fresh.level"][-1]
        sign = next(sign for sign in tanks_ahead(days.view(shipped_catalogue)) if sign.track.name == "tank.fresh.level")
        left[hour] = sign.numbers["hours_left"]
    assert left[17] < 4
    assert 8 < left[22] < 11
    assert np.isfinite(left[22])

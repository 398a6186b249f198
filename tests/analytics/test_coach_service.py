"""Services by hours run: a multiple that was seen to pass is told once, whatever else a counter does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from actors.insight_desk import InsightDesk
from analytics.catalogue import Catalogue, MetricSpec
from analytics.coach_log import SLOT_MS, CoachLog
from analytics.coach_service import last_passed, service_due
from analytics.coach_sign import beside
from analytics.coach_watch import CoachWatch
from analytics.records import FindingKind
from analytics.rules import Rules
from storage.insight_book import InsightBook

from .coach_days import Days, strength

NAN = math.nan
METRIC = "generator.run_time"


def passed(*readings: float, every: float = 150.0, a_slot: float = 1 / 12) -> tuple[int, float] | None:
    values = np.array(readings)
    return last_passed(values, values, every, a_slot)


def days_with(hours: list[float], days: int = 10) -> Days:
    """A counter that ends with these readings, one a slot."""
    lived = Days(days)
    counter = lived.values[METRIC]
    counter[:] = hours[0]
    counter[-len(hours) :] = hours
    return lived


def test_a_multiple_that_was_seen_to_pass() -> None:
    assert passed(149.9, 149.95, 150.0, 150.05) == (2, 150.0)
    assert passed(149.9, NAN, NAN, 150.1) == (3, 150.0)
    assert last_passed(np.array([149.98]), np.array([150.03]), 150.0, 1 / 12) == (0, 150.0)


@pytest.mark.parametrize(
    "readings",
    [
        (), (NAN, NAN), (449.0, 449.1),
        (1234.5, 1234.6),  # the first it ever sent has many multiples behind it
        (150.0, 150.1),
        (140.0, 3.0, 3.1),  # another generator
        (151.0, 0.0, 151.0, 151.1),  # one bad reading, or
        (160.0, *[0.0] * 3000, 160.1),  # nothing while it stands still
        (140.0, 65535.0, 140.1), (140.0, 65535.0, 0.0, 140.1),
        (140.0, 152.0),  # twelve hours in five minutes
        (150.01, 150.0, 149.99, 150.01),
    ],
)  # fmt: skip
def test_what_is_no_passing(readings: tuple[float, ...]) -> None:
    assert all(passed(*readings[:end]) is None for end in range(len(readings) + 1))


def test_a_gap_in_which_several_were_passed_is_one() -> None:
    assert passed(140.0, *[NAN] * 3900, 460.0, 460.1) == (3901, 450.0)
    assert passed(140.0, *[NAN] * 3600, 460.0) is None  # so long the gap was not


def test_a_new_counter_has_its_own_services_and_not_those_of_the_old_one() -> None:
    assert passed(449.9, 450.0, 2.0) is None
    assert passed(449.0, 149.9, 150.0, 150.1) == (2, 150.0)
    assert passed(140.0, 65535.0, 149.98, 150.0) == (3, 150.0)


def test_the_last_passing_counts_in_any_unit() -> None:
    assert passed(99.9, 100.0, 199.9, 200.0, every=100.0, a_slot=10.0) == (3, 200.0)
    seconds = (539_990.0, 540_000.0)
    assert passed(*seconds, every=540_000.0, a_slot=300.0) == (1, 540_000.0)


def test_told_for_six_days_until_the_next_could_be_due(shipped_catalogue: Catalogue) -> None:
    lived = days_with([449.9, 449.98, 450.06, *[450.1] * 40])
    (sign,) = service_due(lived.view(shipped_catalogue))
    assert sign.strength >= 1
    assert (sign.value, sign.high, sign.span.stop - sign.span.start) == (pytest.approx(450.1), 450.0, 41)
    assert sign.facts == {"hours": "450 h", "every": "150 h"}
    shown = 150 * 12
    assert strength(service_due, days_with([449.98, *[450.06] * shown]).view(shipped_catalogue)) >= 1
    assert strength(service_due, days_with([449.98, *[450.06] * (shown + 1)]).view(shipped_catalogue)) == 0
    assert list(service_due(days_with([440.0, 440.1]).view(shipped_catalogue))) == []


def test_any_counter_whose_entry_says_so() -> None:
    lived = Days(3)
    entry = MetricSpec(pattern=METRIC, kind="counter", unit="min", service_every=6000)
    lived.values = {METRIC: np.full(lived.slots, 5_998.0)}
    lived.values[METRIC][-2:] = 6_000, 6_005
    (sign,) = service_due(lived.view(Catalogue([entry])))
    assert sign.facts == {"hours": "100 h", "every": "100 h"}
    lived.values[METRIC][-1] = 6_100  # more minutes than there were
    lived.values[METRIC][-2] = 5_998
    assert list(service_due(lived.view(Catalogue([entry])))) == []


def test_one_passing_is_one_insight_through_restarts_and_weeks(
    shipped_catalogue: Catalogue, shipped_rules: Rules
) -> None:
    """The counter passes 450 h on the fifth day and stands from then on. Each hour everything is asked anew; on the
    seventh day the process starts again with what it finds in the archive, on the tenth with less of it."""
    lived = Days(22)
    counter = lived.values[METRIC]
    counter[:] = np.minimum(449.0 + np.maximum(0, np.arange(lived.slots) - 4 * 288) / 12, 460.0)
    counter = {"times": np.arange(lived.slots, dtype=np.int64) * SLOT_MS + 1, "values": counter}
    book, spec = InsightBook(), shipped_catalogue.spec(METRIC)
    desk = InsightDesk(book=book, rules=shipped_rules, catalogue=shipped_catalogue)
    log, first = CoachLog(), 0
    watch = CoachWatch(log, lambda times: times)
    told, ended = [], []
    for slot in range(12, lived.slots + 1, 12):
        now_ms = slot * SLOT_MS
        if slot in (6 * 288, 9 * 288):
            first = 0 if slot == 6 * 288 else 8 * 288
            log = CoachLog()
            watch = CoachWatch(log, lambda times: times)
            watch.remember([(FindingKind.SERVICE_DUE, METRIC)])
        log.take(METRIC, spec, counter["times"][first:slot], counter["values"][first:slot], now_ms)
        for change in desk.take(watch.look(thorough=slot % 24 == 0), now_ms):
            told += [(slot, change.insight)] if change.is_new else []
            ended += [slot] if change.insight.status == "resolved" else []
    ((slot, insight),) = told
    assert 4 * 288 + 12 <= slot <= 4 * 288 + 24
    assert insight.title == "The generator's service is due: 450 h run"
    assert (insight.severity, insight.category) == ("low", "reliability")
    assert "150 h" in insight.description
    assert ended == []  # nobody saw it pass after the second restart: its time runs out
    assert book.open_insights(lived.slots * SLOT_MS) == []


def test_what_was_told_is_over_by_itself(shipped_catalogue: Catalogue) -> None:
    lived = days_with([449.98, *[450.06] * 1900], days=12)
    log = lived.log(shipped_catalogue)
    watch = CoachWatch(log, lambda times: times)
    end = log.end_slot
    due = [
        (slot - end, finding.over)
        for slot in range(end - 1920, end + 1, 12)
        for finding in watch.look(end_slot=slot)
        if finding.kind == FindingKind.SERVICE_DUE
    ]
    assert due == [(-1896, False), (-96, True)]


def test_a_counter_is_never_said_to_have_moved_along(shipped_catalogue: Catalogue) -> None:
    lived = Days(10)
    lived.values[METRIC] = 400 + np.arange(lived.slots) / 12
    lived.values["fridge.temperature"][lived.last(3)] = 12.0
    view = lived.view(shipped_catalogue)
    track = view.first("battery_soc")
    assert track is not None
    assert METRIC not in {each["metric"] for each in beside(view, track, view.last(3))}

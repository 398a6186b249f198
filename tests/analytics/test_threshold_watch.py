"""Thresholds at many metrics: the same events as one look at every sample would give, at a glance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.catalogue import Catalogue, MetricSpec
from analytics.threshold import INITIAL, AlertState, Threshold, advance, quiet_zone
from analytics.threshold_watch import ThresholdWatch

NOW_MS = 1_700_000_000_000


@dataclass
class Part:
    name: str
    times: np.ndarray
    values: np.ndarray


def part(*samples: tuple[int, float], name: str = "m") -> Part:
    """Samples as (ms after NOW_MS, value)."""
    return Part(name, np.array([NOW_MS + at for at, _ in samples]), np.array([v for _, v in samples], dtype=float))


def threshold(id_: str = "t", **members: object) -> Threshold:
    given_ = {"threshold_id": id_, "name": id_, "metric": "m", "role": None, "condition": "above", "low": None}
    return Threshold(**{**given_, "high": 10.0, "recover_after_s": 0.0, **members})


def watch(*thresholds: Threshold, catalogue: Catalogue | None = None) -> ThresholdWatch:
    made = ThresholdWatch(catalogue or Catalogue())
    made.replace(thresholds, NOW_MS)
    return made


def phases(made: ThresholdWatch, sample: Part, at_ms: int = 0) -> list[str]:
    return [event.after.phase for event in made.observe([sample], NOW_MS + at_ms, at_ms)]


def test_by_metric_and_by_role() -> None:
    catalogue = Catalogue([MetricSpec(pattern="tank.*", role="tank")])
    made = watch(threshold("a", metric="x"), threshold("b", metric=None, role="tank"), catalogue=catalogue)
    parts = [part((0, 11), name=name) for name in ("x", "tank.1", "tank.2", "other")]
    events = made.observe(parts, NOW_MS, 0)
    assert [(event.threshold.threshold_id, event.metric) for event in events] == [
        ("a", "x"), ("b", "tank.1"), ("b", "tank.2"),
    ]  # fmt: skip


def test_late_samples_raise_nothing() -> None:
    made = watch(threshold())
    assert phases(made, part((5_000, 9))) == []
    assert phases(made, part((4_000, 99))) == []
    assert phases(made, part((6_000, 9), (5_500, 99))) == ["firing", "ok"]  # within a part they are put in order


def test_time_alone_fires_what_stands() -> None:
    made = watch(threshold(min_duration_s=10))
    assert phases(made, part((0, 11))) == ["pending"]
    assert made.sweep(NOW_MS + 9_000, 9_000) == []
    assert [event.after.phase for event in made.sweep(NOW_MS + 10_000, 10_000)] == ["firing"]
    assert made.sweep(NOW_MS + 11_000, 11_000) == []


def test_a_clock_that_leaps_fires_nothing_and_one_set_back_ends_nothing() -> None:
    made = watch(threshold(min_duration_s=60))
    phases(made, part((0, 11)))
    year = 365 * 86_400_000
    assert made.sweep(NOW_MS + year, 1_000) == []
    assert made.observe([part((year + 3_000, 11))], NOW_MS + year + 3_000, 3_000) == []
    fired = made.observe([part((year + 61_000, 11))], NOW_MS + year + 61_000, 61_000)
    assert [event.after.phase for event in fired] == ["firing"]
    assert made.sweep(NOW_MS, 62_000) == []
    assert [event.after.phase for event in made.observe([part((3_000, 9))], NOW_MS + 1_000, 63_000)] == ["ok"]


def test_silence_is_judged_once_by_the_clock_that_nobody_sets() -> None:
    made = watch(threshold(missing="alert", missing_after_s=30))
    phases(made, part((0, 9)))
    assert made.sweep(NOW_MS + 29_000, 29_000) == []
    assert [event.after.side for event in made.sweep(NOW_MS + 30_000, 30_000)] == ["missing"]
    assert made.sweep(NOW_MS + 60_000, 60_000) == []
    assert [event.after.phase for event in made.observe([part((61_000, 9))], NOW_MS + 61_000, 61_000)] == ["ok"]
    assert [event.after.side for event in made.sweep(NOW_MS + 95_000, 95_000)] == ["missing"]


def test_a_metric_that_never_speaks_is_missed_once_it_is_expected() -> None:
    made = watch(threshold(missing="alert", missing_after_s=30))
    made.expect(["m"], 0)
    assert len(made.sweep(NOW_MS + 31_000, 31_000)) == 1


def test_a_changed_threshold_starts_anew_and_its_alert_ends() -> None:
    made = watch(threshold("a"), threshold("b", high=5.0))
    phases(made, part((0, 11)))
    ended = made.replace([threshold("a", high=12.0), threshold("b", high=5.0)], NOW_MS)
    assert [(event.threshold.threshold_id, event.after.phase) for event in ended] == [("a", "ok")]
    assert {key[0] for key in made.states()} == {"b"}
    assert made.changed()["a", "m"] is None
    assert [event.threshold.threshold_id for event in made.replace([], NOW_MS)] == ["b"]
    assert made.idle


def test_the_cause_of_an_end() -> None:
    old = [threshold("deleted"), threshold("off"), threshold("changed"), threshold("s", missing="resolve")]
    made = watch(*old)
    phases(made, part((0, 11)))
    ended = made.replace([threshold("off", enabled=False), threshold("changed", high=30.0), old[3]], NOW_MS)
    assert {event.threshold.threshold_id: event.cause for event in ended} == {
        "deleted": "deleted", "off": "switched off", "changed": "changed",
    }  # fmt: skip
    assert [event.cause for event in made.sweep(NOW_MS + 300_000, 300_000)] == ["silence"]


def test_a_changed_threshold_does_not_take_up_the_stored_state_of_the_former() -> None:
    made = watch(threshold())
    phases(made, part((0, 20)))
    stored = made.states()
    made.stored(made.changed())
    made.replace([threshold(high=30.0)], NOW_MS)
    made.restore(stored, NOW_MS)  # what was read before its end could be stored
    assert made.states() == {}
    assert made.stand({"m": Standing(NOW_MS, 20.0)}, NOW_MS, 0) == []


def test_what_was_stored_goes_on() -> None:
    first = watch(threshold())
    phases(first, part((0, 11)))
    second = watch(threshold())
    second.restore(first.states(), NOW_MS)
    assert phases(second, part((1_000, 12))) == []
    assert phases(second, part((2_000, 9))) == ["ok"]


def test_a_stored_mark_of_a_clock_ahead_is_brought_to_now() -> None:
    made = watch(threshold(min_duration_s=60))
    made.restore({("t", "m"): AlertState(phase="pending", since_ms=NOW_MS + 10**9, side="above")}, NOW_MS)
    assert phases(made, part((0, 11))) == []
    assert phases(made, part((60_000, 11)), at_ms=60_000) == ["firing"]


def test_states_are_to_be_stored_until_they_are() -> None:
    made = watch(threshold())
    phases(made, part((0, 11)))
    first = made.changed()
    phases(made, part((1_000, 9)))
    made.stored(first)
    assert made.changed()["t", "m"].phase == "ok"
    made.stored(made.changed())
    assert made.changed() == {}


def test_a_peak_that_grew_is_stored_when_it_is_asked_for_and_once() -> None:
    made = watch(threshold())
    phases(made, part((0, 11)))
    made.stored(made.changed())
    phases(made, part((1_000, 20)))
    assert made.changed() == {}
    made.keep_peaks()
    assert made.changed()["t", "m"].peak == 20
    made.stored(made.changed())
    made.keep_peaks()
    assert made.changed() == {}


def test_the_peak_of_what_was_passed_over() -> None:
    made = watch(threshold())
    phases(made, part((0, 11)))
    phases(made, part(*((second * 1000, 11 + second % 7) for second in range(1, 40))))
    assert made.states()["t", "m"].peak == 17
    event = made.observe([part((50_000, 9))], NOW_MS + 50_000, 50_000)[0]
    assert event.before.peak == 17


def test_a_value_stands_until_the_next_one_within_a_batch_that_came_late() -> None:
    late = part((-10_000, 9), (-5_000, 1))
    made = watch(threshold(high=5.0, min_duration_s=3, recover_after_s=60))
    events = made.observe([late], NOW_MS, 0)
    assert [(e.after.phase, e.at_ms - NOW_MS) for e in events] == [
        ("pending", -10_000), ("firing", -7_000), ("recovering", -5_000),
    ]  # fmt: skip
    assert phases(made, part((70_000, 1), (90_000, 1)), 90_000) == ["ok"]
    assert phases(watch(threshold(high=5.0, min_duration_s=5)), late) == ["pending", "ok"]
    short = watch(threshold(high=5.0, min_duration_s=3, missing="resolve", missing_after_s=2), threshold("u", high=5.0))
    assert phases(short, late) == ["pending", "firing", "ok", "ok"]  # by then silence had ended the first


@dataclass
class Standing:
    time_ms: int
    value: float


def test_what_stands_already_is_met_by_a_new_threshold() -> None:
    """A tank that sends only when its level changes."""
    made = watch(threshold())
    latest = {"m": Standing(NOW_MS - 60_000, 11.0), "other": Standing(NOW_MS, 99.0)}
    (fired,) = made.stand(latest, NOW_MS, 0)
    assert (fired.metric, fired.after.phase, fired.after.fired_ms) == ("m", "firing", NOW_MS - 60_000)
    assert made.stand(latest, NOW_MS, 0) == []
    made.replace([threshold(), threshold("u", high=5.0)], NOW_MS)
    assert [event.threshold.threshold_id for event in made.stand(latest, NOW_MS, 0)] == ["u"]


def test_how_long_it_has_stood_counts() -> None:
    made = watch(threshold(min_duration_s=60))
    assert [e.after.phase for e in made.stand({"m": Standing(NOW_MS - 30_000, 11.0)}, NOW_MS, 0)] == ["pending"]
    assert made.sweep(NOW_MS + 29_000, 29_000) == []
    assert [e.after.phase for e in made.sweep(NOW_MS + 30_000, 30_000)] == ["firing"]


def test_a_value_of_the_future_does_not_stand() -> None:
    made = watch(threshold())
    assert made.stand({"m": Standing(NOW_MS + 1, 11.0)}, NOW_MS, 0) == []


def test_a_stored_state_comes_before_what_stands() -> None:
    made = watch(threshold())
    firing = advance(threshold(), INITIAL, 11.0, NOW_MS - 90_000)
    made.restore({("t", "m"): firing}, NOW_MS)
    assert made.stand({"m": Standing(NOW_MS - 60_000, 11.0)}, NOW_MS, 0) == []
    assert made.states()["t", "m"].fired_ms == NOW_MS - 90_000


def silent_at_5(rule: Threshold, value: float) -> ThresholdWatch:
    made = watch(rule)
    phases(made, part((0, value)))
    made.sweep(NOW_MS + 5_000, 5_000)
    return made


def stands(made: ThresholdWatch, value: float, at_ms: int) -> list[str]:
    events = made.stand({"m": Standing(NOW_MS, value), "other": Standing(NOW_MS, 0.0)}, NOW_MS + at_ms, at_ms)
    return [f"{event.threshold.threshold_id} {event.after.phase}" for event in events]


def test_an_alert_that_silence_ended_stays_ended_until_a_new_sample() -> None:
    rule = threshold(missing="resolve", missing_after_s=2)
    made = silent_at_5(rule, 20)
    assert made.states()["t", "m"].phase == "ok"
    made.replace([rule, threshold("u", metric="other")], NOW_MS + 6_000)
    assert stands(made, 20, 6_000) == []
    made.replace([rule, threshold("v", high=5, min_duration_s=8)], NOW_MS + 7_000)  # of the same metric
    assert stands(made, 20, 7_000) == ["v pending"]
    assert [each.threshold.threshold_id for each in made.sweep(NOW_MS + 9_000, 9_000)] == ["v"]
    assert phases(made, part((10_000, 20)), 10_000) == ["firing"]


def test_what_stands_does_not_speak_against_silence() -> None:
    rule = threshold(missing="alert", missing_after_s=2, recover_after_s=10)
    made = silent_at_5(rule, 5)
    made.replace([rule, threshold("u", min_duration_s=1, high=1)], NOW_MS + 6_000)
    assert stands(made, 5, 6_000) == ["u pending"]
    made.sweep(NOW_MS + 8_000, 8_000)
    assert made.states()["t", "m"].phase == "firing"
    assert phases(made, part((9_000, 0)), 9_000) == ["recovering", "ok"]  # u holds for 0 s
    made.sweep(NOW_MS + 12_000, 12_000)
    assert made.states()["t", "m"].phase == "firing"  # silent again, which is no sign of being back


def test_a_silence_that_was_judged_is_judged_after_a_restart() -> None:
    for rule, value in ((threshold(missing="resolve", missing_after_s=2), 20), (threshold(missing="alert"), 5)):
        made = watch(rule)
        phases(made, part((0, value)))
        made.sweep(NOW_MS + 400_000, 400_000)
        again = watch(rule)
        again.restore(made.states(), NOW_MS + 500_000)
        assert stands(again, value, 500_000) == []


def test_a_threshold_that_is_set_on_what_fell_silent_fires_nothing() -> None:
    made = silent_at_5(threshold("a", missing="resolve", missing_after_s=2), 20)
    made.replace([threshold("b", missing="resolve", missing_after_s=3)], NOW_MS + 6_000)
    assert stands(made, 20, 6_000) == []
    fresh = watch(threshold("c", missing="resolve", missing_after_s=3))
    assert stands(fresh, 20, 6_000) == []
    assert phases(fresh, part((7_000, 20)), 7_000) == ["firing"]


limits = st.sampled_from([0.0, 1.0, 2.5, 5.0])
some = st.builds(
    lambda high, hysteresis, hold, duration: {
        "high": high, "hysteresis": hysteresis, "recover_after_s": hold, "min_duration_s": duration
    },
    limits, st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 3.0]), st.sampled_from([0.0, 2.0]),
)  # fmt: skip


@given(
    rules=st.lists(some, max_size=6),
    batches=st.lists(st.lists(st.tuples(st.integers(0, 2000), st.floats(-2, 8)), min_size=1, max_size=30), max_size=6),
)
def test_it_sees_what_one_look_at_every_sample_would_see(rules: list[dict], batches: list) -> None:
    thresholds = [threshold(str(index), **members) for index, members in enumerate(rules)]
    made = watch(*thresholds)
    states = {each.threshold_id: INITIAL for each in thresholds}
    at_ms, last = 0, 0.0
    for batch in batches:
        samples, expected = [], []
        for step_ms, value in batch:
            at_ms += step_ms
            dues = {quiet_zone(each, states[each.threshold_id]).until_ms for each in thresholds}
            looks = [(due_ms, last) for due_ms in sorted(dues) if due_ms < NOW_MS + at_ms]
            for look_ms, seen in (*looks, (NOW_MS + at_ms, value)):
                for each in thresholds:
                    before = states[each.threshold_id]
                    after = states[each.threshold_id] = advance(each, before, seen, look_ms)
                    if after is not before:
                        expected.append((each.threshold_id, after.phase, after.since_ms))
            samples.append((at_ms, value))
            last = value
        events = made.observe([part(*samples)], NOW_MS + at_ms, at_ms)
        assert [(e.threshold.threshold_id, e.after.phase, e.after.since_ms) for e in events] == expected

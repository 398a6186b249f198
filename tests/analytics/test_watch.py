from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.catalogue import MetricSpec
from analytics.conditions import ADOPT_MS
from analytics.records import Finding, FindingKind
from analytics.watch import MetricWatch

Noise = Callable[[str, int], np.ndarray]
START = 1_700_000_000_000
TANK = MetricSpec(
    unit="%", warn_low=15, critical_low=5, plausible_low=0, plausible_high=100, bad_direction="none", intermittent=True
)


def feed(
    watch: MetricWatch, values: np.ndarray | list[float], *, start_ms: int = START, step_ms: int = 1_000, part: int = 1
) -> list[Finding]:
    array = np.asarray(values, dtype=np.float64)
    times = start_ms + np.arange(len(array), dtype=np.int64) * step_ms
    findings = []
    for first in range(0, len(array), part):
        some = times[first : first + part]
        findings += watch.observe(some, array[first : first + part], int(some[-1]))
    return findings


def story(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.kind.value, "over" if finding.over else finding.level) for finding in findings]


def test_a_first_value_beyond_a_limit_is_told_at_once() -> None:
    [found] = feed(MetricWatch("tank", TANK), [9.0])
    assert (found.kind, found.level, found.direction, found.value, found.metric) == (
        "limit",
        "warning",
        "below",
        9.0,
        "tank",
    )


def test_a_limit_is_told_when_it_starts_worsens_eases_and_ends() -> None:
    values = [50, 14, 14.5, 16, 14, 4, 4, 6, 8, 12, 16, 18, 50]
    assert story(feed(MetricWatch("tank", TANK), values, step_ms=60_000)) == [
        ("limit", "warning"), ("limit", "critical"), ("limit", "warning"), ("limit", "over"),
    ]  # fmt: skip


@pytest.mark.parametrize("impossible", [[999], [999] * 4, [999, 9, 999]])
def test_an_impossible_value_is_no_value_beyond_a_limit(impossible: list[float]) -> None:
    watch = MetricWatch("tank", TANK)
    feed(watch, [50, 50, 9, 9, *impossible], step_ms=60_000)
    told = {each.kind: each.value for each in watch.active(START + 600_000)}
    assert told[FindingKind.LIMIT] == 9.0
    assert told.get(FindingKind.IMPLAUSIBLE, 999.0) == 999.0


def test_an_anomaly_is_told_again_by_the_last_value_that_can_be(noise: Noise) -> None:
    watch = MetricWatch("room", MetricSpec(plausible_low=-50, plausible_high=100))
    feed(watch, np.concatenate([20 + 0.1 * noise("white", 3_000), np.full(4, 80.0)]), step_ms=60_000)
    feed(watch, [999.0], start_ms=START + 3_004 * 60_000)
    told = [each.value for each in watch.active(START + 3_004 * 60_000) if each.kind is not FindingKind.IMPLAUSIBLE]
    assert told
    assert set(told) == {80.0}


@pytest.mark.parametrize("noise_share", [0.0, 0.02])
@pytest.mark.parametrize("batch", [1_440, 100])
def test_a_line_that_goes_on_is_nothing_strange(noise: Noise, batch: int, noise_share: float) -> None:
    """A day sent at once, in one part or in fifteen, then sample by sample: past the hour of the day it began at."""
    watch = MetricWatch("ramp", MetricSpec())
    values = 100 + np.arange(2_160) / 60 + noise_share * noise("white", 2_160)
    times = START + 60_000 * np.arange(2_160, dtype=np.int64)
    findings = []
    for first in range(0, 1_440, batch):
        part = slice(first, min(first + batch, 1_440))
        findings += watch.observe(times[part], values[part], int(times[1_440]))
    findings += feed(watch, values[1_440:], start_ms=int(times[1_440]), step_ms=60_000)
    assert findings == []


def test_a_fast_metric_has_to_say_it_twice() -> None:
    watch = MetricWatch("tank", TANK)
    assert feed(watch, [50] * 20 + [9] + [50] * 20, step_ms=100) == []
    assert story(feed(watch, [9, 9], start_ms=START + 10_000, step_ms=100)) == [("limit", "warning")]


def test_the_same_moment_twice_is_one_sample() -> None:
    watch = MetricWatch("tank", TANK)
    feed(watch, [50] * 20, step_ms=100)
    moment = np.array([START + 5_000] * 3)
    assert watch.observe(moment, np.array([9.0, 9.0, 9.0]), START + 5_000) == []


def test_a_limit_with_a_hold_time_waits_for_it_also_without_samples() -> None:
    spec = MetricSpec(warn_high=5, hold_s=600)
    watch = MetricWatch("fridge", spec)
    assert feed(watch, [4.0, 7.0], step_ms=60_000) == []
    began = START + 60_000
    assert watch.wait(began + 599_000) == []
    [found] = watch.wait(began + 600_000)
    assert (found.kind, found.start_ms, found.at_ms) == (FindingKind.LIMIT, began, began + 600_000)
    opened = MetricWatch("fridge", spec)
    assert feed(opened, [4, 7, 8, 7, 4, 4, 7, 4] * 20, step_ms=60_000) == []  # the door


def test_implausible_values_need_to_repeat_and_touch_nothing_else() -> None:
    watch = MetricWatch("tank", TANK)
    assert feed(watch, [50, 255, 50, 255, 255, 50], step_ms=60_000) == []
    assert story(feed(watch, [-40, -40, -40, 50, 50, 50], start_ms=START + 10**6, step_ms=60_000)) == [
        ("implausible", "warning"), ("implausible", "over"),
    ]  # fmt: skip


def test_a_lone_implausible_value_is_believed_after_a_minute() -> None:
    watch = MetricWatch("tank", TANK)
    feed(watch, [50, 255], step_ms=1_000)
    assert watch.wait(START + 30_000) == []
    assert story(watch.wait(START + 61_000)) == [("implausible", "warning")]


@pytest.mark.parametrize("kind", ["white", "t3", "lognormal", "ar0.95", "walk"])
def test_noise_never_deviates_and_is_hardly_ever_an_anomaly(noise: Noise, kind: str) -> None:
    told = [
        finding for _ in range(3)
        for finding in feed(MetricWatch("m", MetricSpec()), noise(kind, 20_000), step_ms=10_000, part=7)
        if not finding.over
    ]  # fmt: skip
    assert [finding for finding in told if finding.kind is FindingKind.DEVIATION] == []
    assert len(told) <= 2  # in a week of a metric that has just been met


def test_a_jump_is_told_at_once_and_as_a_step_once_it_stays(noise: Noise) -> None:
    """And by one detector only: the deviation that it is as well is not told beside it."""
    watch = MetricWatch("m", MetricSpec())
    values = 20 + 0.5 * noise("white", 3_000)
    values[2_000:2_200] += 30
    findings = feed(watch, values)
    assert story(findings) == [("spike", "warning"), ("spike", "over"), ("step", "warning"), ("step", "over")]
    first = findings[0]
    assert first.direction == "above"
    assert START + 2_000_000 <= first.at_ms <= START + 2_010_000
    assert findings[2].start_ms == findings[0].start_ms
    assert first.expected_high is not None
    assert first.expected_high < 40
    assert 0.6 <= first.confidence <= 0.95


def test_a_spike_is_no_deviation(noise: Noise) -> None:
    values = 20 + 0.5 * noise("white", 3_000)
    values[2_000:2_004] += 3_000
    assert story(feed(MetricWatch("m", MetricSpec()), values)) == [("spike", "warning"), ("spike", "over")]


def test_no_deviation_before_there_is_a_baseline(noise: Noise) -> None:
    values = 20 + 0.5 * noise("white", 550)
    values[400:] += 300
    assert feed(MetricWatch("m", MetricSpec()), values) == []


@pytest.mark.parametrize(
    "spec",
    [
        MetricSpec(kind="state"),
        MetricSpec(kind="counter", intermittent=True),
        MetricSpec(bad_direction="none"),
        MetricSpec(bad_direction="below"),
    ],
)
def test_what_the_catalogue_excludes_does_not_deviate(noise: Noise, spec: MetricSpec) -> None:
    values = 20 + 0.5 * noise("white", 3_000)
    values[2_000:] += 300
    assert feed(MetricWatch("m", spec), values) == []


def test_a_deviation_that_stays_becomes_the_new_normal(noise: Noise) -> None:
    """Without the anomaly detector, which tells a jump first."""
    watch = MetricWatch("m", MetricSpec(), anomalies=False)
    values = 20 + 0.5 * noise("white", 9_000)
    values[2_000:] += 30
    first, last = feed(watch, values)
    assert (first.kind, last.over) == (FindingKind.DEVIATION, True)
    assert last.at_ms - first.start_ms == pytest.approx(ADOPT_MS, abs=2_000)
    assert not watch.busy


def test_what_happened_before_is_not_told_again(noise: Noise) -> None:
    values = 2 + 0.1 * noise("white", 8 * 3_600)
    for start in range(3_600, len(values), 3_600):  # a load that runs five minutes an hour
        values[start : start + 300] += 100
    findings = feed(MetricWatch("m", MetricSpec()), values)
    assert findings
    assert not [finding for finding in findings if finding.at_ms > START + 2 * 3_600_000]


def test_old_samples_teach_but_are_not_judged() -> None:
    watch = MetricWatch("tank", TANK)
    times = START - 3_600_000 + np.arange(60) * 1_000
    assert watch.observe(times, np.full(60, 3.0), START) == []
    assert story(watch.observe(np.array([START]), np.array([3.0]), START)) == [("limit", "critical")]


def test_late_samples_are_passed_over() -> None:
    watch = MetricWatch("tank", TANK)
    feed(watch, [50, 50])
    assert watch.observe(np.array([START - 5_000]), np.array([3.0]), START + 2_000) == []
    assert watch.observe(np.array([START - 5_000, START - 4_000]), np.array([3.0, 3.0]), START + 2_000) == []


def test_a_clock_that_was_years_ahead_does_not_deafen_it() -> None:
    watch = MetricWatch("tank", TANK)
    feed(watch, [50, 50], start_ms=START + 10**11)
    assert story(feed(watch, [3.0])) == [("limit", "critical")]


def test_parts_may_come_in_any_order_and_size(rng: np.random.Generator) -> None:
    values = np.array([50.0] * 10 + [3.0] * 10 + [50.0] * 10)
    order = rng.permutation(30)
    for size in (5, 30):
        watch = MetricWatch("tank", TANK)
        times = START + np.arange(30) * 1_000
        found: list[Finding] = []
        for first in range(0, 30, size):
            some = order[(order >= first) & (order < first + size)]
            found += watch.observe(times[some], values[some], START + 30_000)
        assert story(found) == [("limit", "critical"), ("limit", "over")]
    assert MetricWatch("tank", TANK).observe(np.zeros(0, dtype=np.int64), np.zeros(0), START) == []


def test_a_large_part_tells_what_single_samples_tell(noise: Noise) -> None:
    values = 60 + 0.5 * noise("white", 6_000)
    values[3_000:4_000] = 3
    values[5_000:5_500] = 300
    alone = feed(MetricWatch("m", TANK), values, step_ms=100)
    together = feed(MetricWatch("m", TANK), values, step_ms=100, part=6_000)
    assert story(alone) == story(together) == [
        ("limit", "critical"), ("limit", "over"), ("implausible", "warning"), ("implausible", "over")
    ]  # fmt: skip


def test_silence_is_told_once_and_ends_with_the_next_sample(noise: Noise) -> None:
    watch = MetricWatch("m", MetricSpec())
    feed(watch, noise("white", 700))
    last = START + 699_000
    assert watch.silent(last + 59_000) is None
    found = watch.silent(last + 61_000)
    assert found is not None
    assert (found.kind, found.start_ms) == (FindingKind.SILENT, last)
    assert watch.silent(last + 62_000) is None
    assert [finding.over for finding in watch.observe(np.array([last + 90_000]), np.zeros(1), last + 90_000)] == [True]
    assert watch.silent(last + 91_000) is None


@pytest.mark.parametrize("spec", [MetricSpec(intermittent=True), MetricSpec(kind="state")])
def test_what_may_be_silent_is_not_told(noise: Noise, spec: MetricSpec) -> None:
    watch = MetricWatch("m", spec)
    feed(watch, noise("white", 700))
    assert watch.silent(START + 10**9) is None


def test_what_holds_can_be_asked_for(noise: Noise) -> None:
    watch = MetricWatch("m", MetricSpec(warn_high=50))
    feed(watch, 20 + noise("white", 1_000))
    feed(watch, [90.0] * 100, start_ms=START + 10**6)
    kinds = {finding.kind for finding in watch.active(START + 1_100_000)}
    assert kinds == {FindingKind.LIMIT, FindingKind.DEVIATION}


anything = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60)


@settings(deadline=None)
@given(anything, st.integers(1, 20), st.sampled_from([1, 500, 60_000]))
def test_per_kind_findings_alternate_for_any_input(values: list[float], part: int, step_ms: int) -> None:
    spec = MetricSpec(warn_low=-1, critical_low=-5, warn_high=5, plausible_low=-1e6, plausible_high=1e6)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        findings = feed(MetricWatch("m", spec), values * 4, step_ms=step_ms, part=part)
    for kind in FindingKind:
        told = None
        for finding in [finding for finding in findings if finding.kind == kind]:
            assert not (finding.over and told is None)
            assert (finding.over, finding.level, finding.direction) != told
            told = None if finding.over else (finding.over, finding.level, finding.direction)

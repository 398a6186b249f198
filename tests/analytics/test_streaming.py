from __future__ import annotations

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.catalogue import Catalogue, MetricSpec
from analytics.records import Finding, FindingKind
from analytics.streaming import ALL, EXAMINED, SPARE, Watchlist, examine

START = 1_700_000_000_000
SPEC = MetricSpec(pattern="tank.*", warn_low=15, critical_low=5, bad_direction="none", intermittent=True)
CATALOGUE = Catalogue([SPEC])


@dataclass(frozen=True)
class Samples:
    name: str
    times: np.ndarray
    values: np.ndarray


def sample(name: str, at_ms: int, value: float = 1.0) -> Samples:
    return Samples(name, np.array([at_ms]), np.array([value]))


def run(watchlist: Watchlist, names: list[str], start_ms: int, seconds: int) -> list[Finding]:
    """One sample a second of each, a sweep every ten."""
    findings: list[Finding] = []
    for second in range(seconds):
        now = start_ms + second * 1_000
        for name in names:
            findings += watchlist.observe(sample(name, now), now)
        if second % 10 == 9:
            findings += watchlist.sweep(now)
    return findings


def quiet(watchlist: Watchlist, start_ms: int, seconds: int) -> list[Finding]:
    return run(watchlist, [], start_ms, seconds)


NAMES = [f"m{index}" for index in range(10)]


def test_names_that_come_and_go_are_forgotten_and_those_that_stay_are_not() -> None:
    watchlist = Watchlist(CATALOGUE, limit=16)
    for second in range(200):
        run(watchlist, ["stays", f"short-lived {second}"], START + second * 1_000, 1)
        assert len(watchlist) <= 16 + 16 // SPARE + 1
    assert {"stays", "short-lived 199"} <= watchlist.pack().keys()


def test_one_sensor_that_falls_silent_is_told_by_name() -> None:
    watchlist = Watchlist(CATALOGUE)
    assert run(watchlist, NAMES, START, 700) == []
    [found] = run(watchlist, NAMES[1:], START + 700_000, 300)
    assert (found.kind, found.metric, found.over) == (FindingKind.SILENT, "m0", False)
    [again] = watchlist.observe(sample("m0", START + 10**6), START + 10**6)
    assert (again.metric, again.over) == ("m0", True)


def test_a_feed_that_stops_is_one_finding_and_teaches_nothing() -> None:
    watchlist = Watchlist(CATALOGUE)
    run(watchlist, NAMES, START, 700)
    [found] = quiet(watchlist, START + 700_000, 500)
    assert (found.metric, found.samples, found.over) == (ALL, 10, False)
    [back] = run(watchlist, NAMES, START + 1_200_000, 60)
    assert (back.metric, back.over) == (ALL, True)
    [found] = run(watchlist, NAMES[1:], START + 1_260_000, 120)  # the habit is what it was
    assert found.metric == "m0"


@pytest.mark.parametrize(("lamps", "told"), [(False, [ALL]), (True, NAMES[:5])])
def test_states_do_not_hide_that_a_slow_feed_stopped_unless_they_are_heard(lamps: bool, told: list[str]) -> None:
    states = [f"light.{index}" for index in range(20)]
    watchlist = Watchlist(Catalogue([MetricSpec(pattern="light.*", kind="state")]))
    findings: list[Finding] = []
    for minute in range(90):
        now = START + minute * 60_000
        heard = [*NAMES[:5], *states] if minute < 60 else states if lamps else []
        for name in heard:
            findings += watchlist.observe(sample(name, now), now)
        findings += watchlist.sweep(now)
    assert [finding.metric for finding in findings] == told


def test_one_that_does_not_come_back_with_the_feed_is_told_then() -> None:
    watchlist = Watchlist(CATALOGUE)
    run(watchlist, NAMES, START, 700)
    quiet(watchlist, START + 700_000, 500)
    findings = run(watchlist, NAMES[1:], START + 1_200_000, 200)
    assert [(finding.metric, finding.over) for finding in findings] == [(ALL, True), ("m0", False)]


def test_slow_metrics_are_not_told_one_by_one_before_the_fast_ones_are_missed() -> None:
    watchlist = Watchlist(CATALOGUE)
    for second in range(0, 6_000):
        now = START + second * 1_000
        names = NAMES[:6] if second % 10 else [*NAMES, "slow1", "slow2"]
        for name in names:
            watchlist.observe(sample(name, now), now)
        if second % 10 == 9:
            assert watchlist.sweep(now) == []
    assert [finding.metric for finding in quiet(watchlist, START + 6_000_000, 900)] == [ALL]


def test_a_clock_that_jumps_does_not_silence_anybody() -> None:
    watchlist = Watchlist(CATALOGUE)
    run(watchlist, NAMES, START, 700)
    assert run(watchlist, NAMES, START + 10**10, 100) == []
    assert run(watchlist, NAMES, START + 10**9, 100) == []


def test_a_warm_start_knows_the_baseline_and_forgives_the_pause(rng: np.random.Generator) -> None:
    watchlist = Watchlist(CATALOGUE)
    times = START + np.arange(1_800) * 1_000
    for name in NAMES:
        watchlist.warm(name, times, 20 + rng.normal(0, 0.5, 1_800))
    restart = START + 3_600_000
    assert watchlist.sweep(restart) == []
    assert run(watchlist, NAMES[:2], restart, 30) == []
    findings = []
    for second in range(60):
        now = restart + 30_000 + second * 1_000
        findings += watchlist.observe(sample("m3", now, 90.0), now)
    assert [(finding.kind, finding.metric) for finding in findings] == [(FindingKind.DEVIATION, "m3")]


def test_a_warm_start_knows_what_holds_and_tells_when_it_ends() -> None:
    watchlist = Watchlist(CATALOGUE)
    watchlist.warm("tank.fresh", START + np.arange(30) * 60_000, np.full(30, 9.0))
    now = START + 31 * 60_000
    [found] = watchlist.active(now)
    assert (found.kind, found.level) == (FindingKind.LIMIT, "warning")
    assert watchlist.observe(sample("tank.fresh", now, 9.0), now) == []
    [over] = [
        finding
        for minute in range(2, 8)
        for finding in watchlist.observe(sample("tank.fresh", now + minute * 60_000, 90.0), now + minute * 60_000)
        if finding.kind is FindingKind.LIMIT
    ]
    assert over.over
    watchlist.warm("empty", np.zeros(0, dtype=np.int64), np.zeros(0))
    assert len(watchlist) == 2


def test_what_was_told_can_be_asked_for_and_forgotten() -> None:
    watchlist = Watchlist(CATALOGUE)
    watchlist.observe(sample("tank.fresh", START, 9.0), START)
    assert [finding.metric for finding in watchlist.active(START + 1)] == ["tank.fresh"]
    watchlist.forget("tank.fresh")
    assert watchlist.active(START + 1) == []
    assert len(watchlist) == 0


def test_kept_samples_are_examined_for_what_they_can_tell(rng: np.random.Generator) -> None:
    times = START + np.arange(1_800) * 1_000
    jump = 20 + rng.normal(0, 0.5, 1_800)
    jump[1_500:] += 50
    windows = {
        "tank.fresh": (np.array([START - 10**8]), np.array([9.0])),  # sent on change, long ago, and still so
        "tank.gray": (times, np.full(1_800, 50.0)),
        "silent": (times[:1_200], jump[:1_200]),
        "strange": (times, jump),
        "empty": (times[:0], jump[:0]),
    }
    found = examine(CATALOGUE, windows, START + 1_800_000)
    assert {(finding.kind, finding.metric) for finding in found} == {
        (FindingKind.LIMIT, "tank.fresh"), (FindingKind.SILENT, "silent"),
    }  # fmt: skip
    assert all(finding.kind in EXAMINED and not finding.over for finding in found)


DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize("recording", ["n2k_motoryacht_70s.csv.gz", "victron_boat_10min.csv.gz"])
def test_real_recordings_of_healthy_vessels_raise_no_alarm(
    recording: str, shipped_catalogue: Catalogue, recordings: Callable[[str], Path]
) -> None:
    """Twice in a row, so that the second half meets baselines and habits."""
    batches: dict[int, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(recordings(recording), "rt", encoding="utf-8") as file:
        rows = [(row["metric_name"], int(row["timestamp_ms"]), float(row["value"])) for row in csv.DictReader(file)]
    rows.sort(key=lambda row: row[1])
    length = rows[-1][1] - rows[0][1] + 1_000
    for turn in range(2):
        for name, time_ms, value in rows:
            batches[(time_ms + turn * length) // 1_000][name].append((time_ms + turn * length, value))
    watchlist = Watchlist(shipped_catalogue)
    findings: list[Finding] = []
    for second in sorted(batches):
        now = second * 1_000 + 1_000
        for name, pairs in batches[second].items():
            part = Samples(name, np.array([at for at, _ in pairs]), np.array([value for _, value in pairs]))
            findings += watchlist.observe(part, now)
        if second % 10 == 0:
            findings += watchlist.sweep(now)
    assert findings == []


@pytest.fixture
def recordings() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        if not (DATA / name).exists():
            if os.environ.get("CI"):
                pytest.fail(f"{DATA / name} is absent")
            pytest.skip(f"{DATA / name} is absent")
        return DATA / name

    return find


rounds = st.lists(
    st.lists(
        st.lists(st.tuples(st.integers(-2, 30), st.sampled_from([5.0, 20.0, 21.0, 90.0])), min_size=1, max_size=5),
        min_size=1,
        max_size=12,
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(rounds)
def test_many_parts_at_once_are_told_as_one_after_the_other(batches: list[list[list[tuple[int, float]]]]) -> None:
    """Each part: (seconds after the round began, value) of a metric of its own; late and disordered ones included."""
    at_once, one_by_one = Watchlist(CATALOGUE), Watchlist(CATALOGUE)
    for number, batch in enumerate(batches * 4):
        now = START + number * 30_000
        parts = [
            Samples(
                "tank.fresh" if metric == 0 else f"m{metric}",
                np.array([now + 1000 * second for second, _ in samples], dtype=np.int64),
                np.array([value for _, value in samples]),
            )
            for metric, samples in enumerate(batch)
        ]
        told = [finding for part in parts for finding in one_by_one.observe(part, now)]
        assert at_once.observe_all(parts, now) == told
        assert at_once.sweep(now) == one_by_one.sweep(now)


@pytest.mark.parametrize("every_s", [10, 60, 600])
def test_a_day_sent_later_and_sparser_live_samples_after_it_are_nothing_strange(every_s: int) -> None:
    """A day at 1 Hz comes in batches, which are summed up by the minute; what follows are single samples."""
    rng = np.random.default_rng(7)
    watchlist = Watchlist(Catalogue([MetricSpec(pattern="*", kind="gauge", bad_direction="both")]))

    def level(times: np.ndarray) -> np.ndarray:
        return np.asarray(13 + 0.3 * np.sin(times / 14.4e6) + rng.normal(0, 0.05, len(times)))

    sent = START - np.arange(86_400, 0, -1) * 1_000
    told = []
    for first in range(0, len(sent), 10_000):
        times = sent[first : first + 10_000]
        told += watchlist.observe(Samples("m", times, level(times)), START + first // 1_000)
    for number in range(6 * 3_600 // every_s):
        times = np.array([START + 60_000 + number * every_s * 1_000])
        told += watchlist.observe(Samples("m", times, level(times)), int(times[0]))
        told += watchlist.sweep(int(times[0]))
    assert told == []

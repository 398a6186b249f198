"""A kept series judged as if it came in live: what the anomaly detector would have told, when, and how sure.

Nothing looks ahead: everything said of a sample follows from those before it. Two lists come out: `anomalies`, what is
reported as shipped, and `candidates`, what a setting would report that is content with an episode a week by the
metric's own history. Holes are told by the learned cadence, at the moment they became known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from .alarm_level import REST_LEAST, REST_S, SLOPE, unlikelihood
from .cadence import Cadence
from .catalogue import DEFAULT_SPEC, MetricSpec
from .judge import Judge
from .local_time import UTC_TIME, LocalTime
from .records import FindingKind
from .robust import TAME, Times, Values, finite, rising
from .ticks import Tick, Ticker

CANDIDATE: Final = 0.54 * SLOPE  # this far below its level a metric is expected to score not quite once a week
REPORT_EVERY: Final = 2_000  # samples


class Sight(Struct, frozen=True):
    """One anomaly. `score`: 0..1, the chance that a week passes without the like; `surprise`: in powers of ten."""

    at_ms: int  # when it was known
    start_ms: int
    kind: FindingKind
    score: float
    surprise: float
    value: float | None
    low: float | None
    high: float | None
    side: str


class Retrospect(Struct):
    anomalies: list[Sight] = field(default_factory=list)
    candidates: list[Sight] = field(default_factory=list)


def look_back(
    times: Times, values: Values, spec: MetricSpec = DEFAULT_SPEC, local: LocalTime = UTC_TIME,
    progress: Callable[[int], None] = lambda samples: None,
) -> Retrospect:  # fmt: skip
    """Judge samples (ms, finite values, any order). `progress` hears every so often how many samples are done."""
    times, values = rising(times, values)
    found = Retrospect()
    judge, ticker, cadence = Judge(local), Ticker(), Cadence()
    candidate_s, candidate_at = -1e18, -REST_LEAST
    low, high = spec.plausible_low, spec.plausible_high
    was_implausible = False
    for number, (at_ms, value) in enumerate(zip(times.tolist(), values.tolist(), strict=True), 1):
        if number % REPORT_EVERY == 0:
            progress(REPORT_EVERY)
        _hole(cadence, at_ms, spec, found)
        implausible = (low is not None and value < low) or (high is not None and value > high)
        if implausible:  # kept, told, and left out of what is learned
            if not was_implausible:
                side = "below" if low is not None and value < low else "above"
                found.anomalies.append(
                    Sight(at_ms, at_ms, FindingKind.IMPLAUSIBLE, 1.0, 12.0, finite(value), low, high, side)
                )
            was_implausible = True
            continue
        was_implausible = False
        if not -TAME < value < TAME:
            continue
        tick = ticker.take(value, value, value, 1, at_ms, at_ms)
        if tick is None:
            continue
        _told(judge, tick, found)
        count = judge.anomaly.count
        if (
            judge.score >= judge.level - CANDIDATE
            and at_ms / 1000 - candidate_s > REST_S
            and count - candidate_at > REST_LEAST
        ):
            candidate_s, candidate_at = at_ms / 1000, count
            found.candidates.append(_candidate(judge, tick))
    progress(len(values) % REPORT_EVERY)
    return found


def _hole(cadence: Cadence, at_ms: int, spec: MetricSpec, found: Retrospect) -> None:
    limit = cadence.limit_ms()
    if limit is not None and at_ms - cadence.last_ms > limit and not spec.intermittent and spec.kind != "state":
        known_ms = cadence.last_ms + round(limit)
        times_over = (at_ms - cadence.last_ms) / limit
        score = 1.0 - 0.2 / times_over
        found.anomalies.append(
            Sight(known_ms, cadence.last_ms, FindingKind.MISSING, score, 6.0, None, None, None, "none")
        )
    cadence.note(at_ms)


def _told(judge: Judge, tick: Tick, found: Retrospect) -> None:
    verdicts = judge.take(tick)
    replaced = any(verdict.over for verdict in verdicts)
    for verdict in verdicts:
        if verdict.over:
            continue
        sight = Sight(
            tick.at_ms, round(verdict.start_s * 1000), verdict.kind, unlikelihood(verdict.score, verdict.level),
            verdict.score, finite(verdict.value), finite(verdict.low), finite(verdict.high), verdict.side,
        )  # fmt: skip
        if verdict.kind is FindingKind.STUCK:
            sight = Sight(
                tick.at_ms, sight.start_ms, sight.kind, 0.99, max(8.0, sight.surprise), sight.value, None, None, "none"
            )
        elif replaced and found.anomalies:  # the same episode, better known: its time stays, its kind becomes this one
            before = found.anomalies.pop()
            sight = Sight(
                before.at_ms, before.start_ms, verdict.kind, max(before.score, sight.score),
                max(before.surprise, sight.surprise), before.value, before.low, before.high, verdict.side,
            )  # fmt: skip
        found.anomalies.append(sight)


def _candidate(judge: Judge, tick: Tick) -> Sight:
    kind, side = judge.likely()
    score = unlikelihood(judge.score, judge.level)
    return Sight(tick.at_ms, tick.at_ms, kind, score, judge.score, finite(tick.mean), None, None, side)

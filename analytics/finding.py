"""Findings put together from what the detectors know: expected range, score, confidence."""

from __future__ import annotations

import math
from typing import Final, Literal

from .baseline import WIDTH, Baseline
from .cadence import Cadence
from .catalogue import MetricSpec
from .condition import Turn
from .judge import Verdict
from .limits import SCORE_LIMIT, band_width, past
from .records import Finding, FindingKind
from .robust import finite

LEVELS: Final[tuple[Literal["warning", "critical"], ...]] = ("warning", "warning", "critical")


def finding(name: str, spec: MetricSpec, baseline: Baseline | None, kind: FindingKind, turn: Turn) -> Finding:
    """What the turn of a condition of the metric `name` says.

    Score: for limits and plausibility the distance past the limit in units of the band from warning to critical (or of
    the whole range); for deviations the distance from the median in eighths of the band's half-width, which are robust
    sigmas where the band is no wider than its noise.
    """
    low: float | None = spec.low
    high: float | None = spec.high
    score, confidence = 0.0, 0.9
    if kind is FindingKind.IMPLAUSIBLE:
        low, high = spec.plausible_low, spec.plausible_high
        score = past(turn.value, low, high, band_width(low, high))
    elif kind is FindingKind.LIMIT:
        below = turn.side == "below"
        near, far = (spec.warn_low, spec.critical_low) if below else (spec.warn_high, spec.critical_high)
        score = past(turn.value, low, high, band_width(near, far) or band_width(low, high))
        confidence = 0.95 if turn.samples > 1 else 0.85
    elif baseline is not None:  # the side that is not judged has no bound: it may lie where no value can be
        low = baseline.low if math.isfinite(baseline.low) and spec.bad_direction != "above" else None
        high = baseline.high if math.isfinite(baseline.high) and spec.bad_direction != "below" else None
        half = baseline.median - baseline.low if turn.side == "below" else baseline.high - baseline.median
        if 0.0 < half < math.inf:
            score = min(SCORE_LIMIT, WIDTH * abs(turn.value / half - baseline.median / half))
        confidence = 0.6 + 0.3 * (1.0 - math.exp(-max(0.0, score - WIDTH) / 16.0))
    return Finding(
        kind, name, turn.at_ms, turn.start_ms, turn.value, low, high,
        score=finite(score), confidence=round(confidence, 3), samples=max(1, turn.samples),
        direction=turn.side, level=LEVELS[turn.level], over=turn.level == 0,
    )  # fmt: skip


def anomaly_finding(name: str, verdict: Verdict, at_ms: int, samples: int) -> Finding:
    """What the anomaly detector saw. Score: powers of ten of improbability by the metric's own history. Where not the
    value but its course is strange there is no expected range: the value lies within. So it may for a drift, which is
    seen against what is usual at that time of the day."""
    bounded = verdict.high > verdict.low and verdict.kind not in (FindingKind.SHAPE, FindingKind.STUCK)
    if verdict.kind is FindingKind.DRIFT and verdict.low <= verdict.value <= verdict.high:
        bounded = False
    return Finding(
        verdict.kind, name, at_ms, round(verdict.start_s * 1000), finite(verdict.value),
        finite(verdict.low) if bounded else None, finite(verdict.high) if bounded else None,
        score=finite(verdict.score),
        confidence=round(0.6 + 0.35 * (1.0 - math.exp(-max(0.0, verdict.score - verdict.level) / 2.0)), 3),
        samples=samples, direction=verdict.side, over=verdict.over,
    )  # fmt: skip


def silent_finding(
    name: str, cadence: Cadence, last_value: float | None, now_ms: int, *, over_since_ms: int | None = None
) -> Finding:
    """The metric has fallen silent; or, with `over_since_ms`, it is heard again after being silent since then."""
    over = over_since_ms is not None
    since = cadence.last_ms if over_since_ms is None else over_since_ms
    limit = cadence.limit_ms() or 1.0
    return Finding(
        FindingKind.SILENT, name, now_ms, since, last_value, None, None,
        score=0.0 if over else min(SCORE_LIMIT, max(0, now_ms - since) / limit),
        confidence=1.0 if over else 0.8, samples=cadence.arrivals, over=over,
    )  # fmt: skip

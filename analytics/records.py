"""The plain types that analytics produces: findings, insights, patterns, correlations, predictions.

Everything here is a frozen value. Times are int64 unix milliseconds; confidences, impacts and strengths lie in 0..1.
Mappings hold JSON values only (no NaN, no Infinity): whoever builds a record keeps that promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Literal

from msgspec import Struct, field

Json = Mapping[str, Any]
Severity = Literal["low", "medium", "high", "critical"]
Category = Literal["performance", "reliability", "efficiency", "cost"]
PatternType = Literal["cyclical", "trending", "anomalous", "baseline"]

SEVERITIES: Final[tuple[Severity, ...]] = ("low", "medium", "high", "critical")  # rising
CATEGORIES: Final[tuple[Category, ...]] = ("performance", "reliability", "efficiency", "cost")


class FindingKind(StrEnum):
    """What a detector saw. A rule (conf/rules.yaml) names a kind and a metric role."""

    LIMIT = "limit"  # beyond the catalogue's warning or critical limit
    IMPLAUSIBLE = "implausible"  # outside the catalogue's plausible range: the sensor, not the coach
    SILENT = "silent"  # no sample for much longer than the learned cadence
    DEVIATION = "deviation"  # far from the metric's own recent baseline
    SPIKE = "spike"  # a value as rare as this metric hardly ever has, here and gone
    STEP = "step"  # a jump to another level that stays
    DRIFT = "drift"  # the level creeps away, slower than any jump
    STUCK = "stuck"  # the very same value for far longer than this metric ever repeats itself
    MISSING = "missing"  # a hole in kept samples, by the learned cadence (SILENT is the hole that is still open)
    SHAPE = "shape"  # it moves otherwise than it used to: noisier, calmer, out of its rhythm
    INCIDENT = "incident"  # many metrics turned at the same moment
    # What the checks of a coach see (coach_*.py), which read several metrics by their roles.
    EMPTY_AHEAD = "empty_ahead"  # a battery or tank will be empty before it is filled again
    FULL_AHEAD = "full_ahead"
    OVERNIGHT_DROP = "overnight_drop"  # the battery loses more in a night than it used to
    AGEING = "ageing"  # the battery's resistance has grown
    NO_CHARGE = "no_charge"  # there is sun, shore power or a running engine, but no current from it
    ALTERNATOR_WEAK = "alternator_weak"  # on several journeys in a row it has given less than on those before
    OUTPUT_LOW = "output_low"  # for days the panels have given less than the same light used to
    PARASITIC = "parasitic"  # something draws current while everything rests
    WARMING = "warming"  # cold food is getting warm
    DUTY_GREW = "duty_grew"  # a compressor runs more than the same warmth around it used to ask for
    LEAK = "leak"  # water goes that nobody uses
    LEVEL_STUCK = "level_stuck"  # a tank's level stands still while its content is used
    SHORT_CYCLING = "short_cycling"  # the furnace cuts out after minutes, again and again
    NOT_COOLING = "not_cooling"  # the air conditioner runs and the air stays warm
    LONG_RUN = "long_run"  # the generator runs on though there is nothing left to charge
    LOAD_GREW = "load_grew"
    RUNNING_HOTTER = "running_hotter"  # an engine at work is warmer than on its earlier journeys
    SERVICE_DUE = "service_due"  # a counter of running hours has passed a multiple of its service's interval
    USE_GREW = "use_grew"  # propane goes that no appliance accounts for
    NOISY = "noisy"  # neighbouring samples lie much further apart than they used to
    RATE_DROP = "rate_drop"  # the bus carries much less than ever at rest
    SLOWED = "slowed"
    ERRORS = "errors"


class Finding(Struct, frozen=True):
    """One observation of a detector about one metric."""

    kind: FindingKind
    metric: str
    at_ms: int  # time of the sample that decided it (for SILENT: the time of judgement)
    start_ms: int  # since when
    value: float | None  # the deciding value, in the metric's unit; None when there is none
    expected_low: float | None
    expected_high: float | None
    score: float  # robust z, or how far past the limit in units of the limit's band; finite, >= 0
    confidence: float
    samples: int  # how many samples support it
    direction: Literal["above", "below", "none"] = "none"
    level: Literal["warning", "critical"] = "warning"
    over: bool = False  # True: the condition has ended (an open insight may be resolved)
    facts: Mapping[str, str] = field(default_factory=dict)  # more that the words of a rule may name, see coach_facts
    evidence: Json = field(default_factory=dict)  # what it rests on besides: series, coverage, other numbers


class Action(Struct, frozen=True):
    """The seed's ActionableRecommendation: words for people.

    `template` and `entity_role`, where given, name what a button may do and to which kind of entity; what is executed
    is decided elsewhere.
    """

    text: str
    action: str
    estimated_impact: str
    severity: Severity
    template: str | None = None
    entity_role: str | None = None


class Insight(Struct, frozen=True):
    """What a person is told. `key` is stable per rule and metric; `insight_id` is stable per open insight."""

    insight_id: str
    key: str
    title: str
    description: str
    category: Category
    severity: Severity
    confidence: float
    impact_score: float
    created_at_ms: int
    updated_at_ms: int
    expires_at_ms: int | None
    recommendations: tuple[str, ...]
    actions: tuple[Action, ...] = ()
    evidence: Json = field(default_factory=dict)
    supporting_data: Json = field(default_factory=dict)
    status: Literal["new", "resolved"] = "new"
    metric: str | None = None


class Pattern(Struct, frozen=True):
    """A regularity of one metric (or of a pair: the other one stands in `correlation_factors`)."""

    pattern_id: str  # stable per type and metric
    pattern_type: PatternType
    metric: str
    description: str
    confidence: float
    frequency: str | None  # "daily", or None where it has none
    correlation_factors: tuple[str, ...]
    prediction_window: str | None
    created_at_ms: int
    data: Json = field(default_factory=dict)


class Correlation(Struct, frozen=True):
    """Two metrics that move together; `lag_ms` > 0: `metric_a` leads."""

    metric_a: str
    metric_b: str
    coefficient: float  # -1..1
    lag_ms: int
    p_value: float
    samples: int


class Prediction(Struct, frozen=True):
    """Where a metric will be at `at_ms`, with the interval that should hold it with a probability of `confidence`.

    Of a level that runs empty or full: `value` is the limit, `at_ms` the middle of the answers, and the interval is one
    of time: `earliest_ms` to `latest_ms` (None there: perhaps not within 60 days).
    """

    metric: str
    at_ms: int
    value: float
    low: float
    high: float
    confidence: float
    method: str
    earliest_ms: int | None = None
    latest_ms: int | None = None

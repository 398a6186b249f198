from __future__ import annotations

import math

from analytics.catalogue import MetricSpec
from analytics.conditions import STALE_MS, Conditions
from analytics.records import Finding, FindingKind

NOW = 1_790_000_000_000
SPEC = MetricSpec(
    pattern="fridge", plausible_low=-30, plausible_high=60, warn_high=8, critical_high=12, bad_direction="none"
)


def stretch(conditions: Conditions, value: float, count: int = 5, now_ms: int = NOW) -> list[Finding]:
    findings: list[Finding] = []
    if conditions.is_plausible(value, NOW - 40_000, NOW, count, now_ms, findings):
        conditions.step(value, NOW - 40_000, NOW, count, now_ms, findings, told_otherwise=False)
    return findings


def test_the_quiet_bounds_are_the_limits_and_gone_while_one_is_passed() -> None:
    conditions = Conditions("fridge", SPEC)
    assert conditions.quiet() == (-30, 8)
    assert [each.kind for each in stretch(conditions, 9.0)] == [FindingKind.LIMIT]
    assert conditions.quiet() == (math.inf, -math.inf)
    assert [each.kind for each in conditions.active(NOW, 9.0, 0.0)] == [FindingKind.LIMIT]


def test_what_is_implausible_is_judged_for_nothing_else() -> None:
    conditions = Conditions("fridge", SPEC)
    assert [each.kind for each in stretch(conditions, 500.0)] == [FindingKind.IMPLAUSIBLE]
    assert conditions.limit.idle


def test_what_holds_is_told_again_by_the_value_it_is_about() -> None:
    conditions = Conditions("fridge", SPEC)
    stretch(conditions, 9.0)
    stretch(conditions, 500.0)
    told = {each.kind: each.value for each in conditions.active(NOW, 9.0, 500.0)}
    assert told == {FindingKind.LIMIT: 9.0, FindingKind.IMPLAUSIBLE: 500.0}


def test_old_samples_are_not_judged() -> None:
    conditions = Conditions("fridge", SPEC)
    assert stretch(conditions, 9.0, now_ms=NOW + STALE_MS + 1) == []
    assert conditions.quiet() == (-30, 8)


def test_fast_metrics_have_to_say_it_twice() -> None:
    conditions = Conditions("fridge", SPEC)
    conditions.pace(1_000.0, known=True)
    assert stretch(conditions, 9.0, count=1) == []
    assert stretch(conditions, 9.0, count=1) != []


def test_every_limit_is_a_bound() -> None:
    assert {-30.0, 60.0, 8.0, 12.0} <= {each for each in Conditions("fridge", SPEC).bounds() if each is not None}

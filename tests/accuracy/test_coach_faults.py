"""A cheap part of the accuracy suite, run with the tests: fails when faults are missed, or quiet days are not quiet."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.records import Finding, FindingKind
from gateway.demo.faults import KINDS

from .coach_faults import (
    NOTIFIED,
    FaultResult,
    QuietResult,
    _came_true,
    fault_result,
    fault_table,
    quiet_result,
    quiet_table,
    verdicts,
)
from .coach_plan import CASES, planned
from .coach_runs import Run, Told, shipped, start_ms


@pytest.mark.parametrize(("kind", "within_h"), [("water_leak", 6), ("fridge_warming", 4), ("door_seal", 24)])
def test_a_fault_is_told_in_time(kind, within_h):
    result = fault_result(kind, 100)
    assert result.counts
    assert result.delay_h is not None
    assert result.delay_h < within_h
    assert result.others == ()


def test_nobody_is_notified_on_quiet_days():
    for life in (quiet_result(None, 101, days=3), quiet_result("guest_weekend", 102)):
        assert [told for told in life.told if told[1] in NOTIFIED] == []


def test_every_fault_has_its_case_and_its_place_in_time():
    assert set(CASES) == set(KINDS)
    for kind in KINDS:
        fault = planned(kind, 5, start_ms(5))
        assert fault == planned(kind, 5, start_ms(5)) != planned(kind, 6, start_ms(5))
        assert 0 < fault.severity <= 1


def test_a_service_is_rightly_due_when_the_generator_has_run_for_so_long():
    times = np.arange(3, dtype=np.int64) * 60_000
    finding = Finding(
        FindingKind.SERVICE_DUE, "generator.run_time", 60_000, 0, 450.1, None, 450.0, 2.0, 0.9, 1, direction="above"
    )
    catalogue, rules = shipped()
    insight = rules.insight(finding, catalogue.spec(finding.metric), 60_000)
    for hours, right in ((450.1, True), (449.0, False), (590.0, False)):
        lived = Run((), (), {"generator_run_time": np.full(3, hours)}, times)
        assert _came_true(Told(60_000, insight), lived) == right


def test_the_tables_count_what_counts():
    faults = [
        FaultResult("water_leak", 1, True, 2.0, (("leak", 0.92),), (("limit", "x", 0.85),), 2, 2.0),
        FaultResult("water_leak", 2, True, None, (), (), 0, 2.0),
        FaultResult("water_leak", 3, False, None, (), (), 0, 2.0),
    ]
    quiet = [QuietResult("clean", 1, 30.0, (("noisy", "low", "t", 0.96),))]
    assert "| water_leak | 2 | 1 | 0.50 | 2.0 h | 2.0 h | 0.25 (0.50) |" in fault_table(faults)
    assert "| clean | 1 | 30 | 1 | 0 | noisy: t |" in quiet_table(quiet)
    assert verdicts(faults, quiet) == [(0.92, True), (0.85, False), (0.96, False)]

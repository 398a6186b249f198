from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analytics.anomalies import Anomalies
from analytics.catalogue import MetricSpec
from analytics.local_time import UTC_TIME
from analytics.records import Finding, FindingKind

Noise = Callable[[str, int], np.ndarray]
START = 1_700_000_000_000


def told(spec: MetricSpec, values: np.ndarray, *, hushed: bool = False) -> list[Finding]:
    anomalies = Anomalies("m", spec, UTC_TIME)
    findings = []
    for index, value in enumerate(values.tolist()):
        at = START + index * 300_000
        findings += anomalies.add(value, value, value, 1, at, at, hushed=hushed)
    return findings


@pytest.fixture
def spiky(noise: Noise) -> np.ndarray:
    values = 20 + 0.5 * noise("white", 3_100)
    values[3_000] += 15
    return values


def test_a_finding_has_what_a_rule_needs(spiky: np.ndarray) -> None:
    begun, over = told(MetricSpec(), spiky)
    assert (begun.kind, begun.metric, begun.direction, begun.over) == (FindingKind.SPIKE, "m", "above", False)
    assert begun.value == spiky[3_000]
    assert begun.expected_low is not None
    assert begun.expected_high is not None
    assert begun.expected_low < 20 < begun.expected_high < begun.value
    assert begun.score > 4.6
    assert 0.6 <= begun.confidence <= 0.95
    assert (over.kind, over.over) == (FindingKind.SPIKE, True)


@pytest.mark.parametrize(
    "spec",
    [MetricSpec(bad_direction="below"), MetricSpec(bad_direction="none"), MetricSpec(min_deviation=50)],
)
def test_what_the_catalogue_calls_harmless_is_not_told(spiky: np.ndarray, spec: MetricSpec) -> None:
    assert told(spec, spiky) == []


def test_while_hushed_nothing_is_told_nor_its_end(spiky: np.ndarray) -> None:
    assert told(MetricSpec(), spiky, hushed=True) == []


def test_a_harmless_metric_is_told_of_when_it_is_stuck(noise: Noise) -> None:
    values = noise("white", 2_000)
    values[1_500:1_600] = values[1_500]
    assert [(each.kind, each.over) for each in told(MetricSpec(bad_direction="none"), values)] == [
        (FindingKind.STUCK, False), (FindingKind.STUCK, True),
    ]  # fmt: skip


def test_what_holds_is_told_again(noise: Noise) -> None:
    anomalies = Anomalies("m", MetricSpec(), UTC_TIME)
    values = noise("white", 2_000)
    values[1_980:] += 20
    anomalies.add_many(START + np.arange(1_000) * 300_000, values[:1_000], START, hushed=False)
    assert anomalies.active(0.0) == []
    for index in range(1_000, 2_000):
        at = START + index * 300_000
        anomalies.add(values[index], values[index], values[index], 1, at, at, hushed=False)
    assert [finding.kind for finding in anomalies.active(20.0)] == [FindingKind.STEP]


def test_numbers_at_the_edge_of_doubles_are_passed_over() -> None:
    assert told(MetricSpec(), np.tile([1.7e308, -1.7e308], 200)) == []


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises((TypeError, ValueError)):
        Anomalies("m", MetricSpec(), UTC_TIME).unpack([1, 2, 3])

"""/historical: which lists are filled, and that they look as the dashboard needs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from quart.testing import QuartClient

from analytics.patterns import Analysis, Anomaly
from analytics.records import Correlation, Pattern, Prediction
from gateway.rest import historical


async def ask(client: QuartClient, query: str = "") -> dict[str, Any]:
    response = await client.get(f"/api/analytics/historical{query}")
    assert response.status_code == 200
    answer: dict[str, Any] = json.loads(await response.get_data())
    return answer


async def test_without_any_data(client: QuartClient) -> None:
    answer = await ask(client)
    assert [answer[name] for name in ("patterns", "anomalies", "correlations", "predictions")] == [[]] * 4
    assert answer["summary"]["data_quality"] == "no_data"
    assert (answer["analysis_type"], answer["time_window_hours"]) == ("pattern_detection", 168)


async def test_with_data(client: QuartClient, fill: Callable[..., None]) -> None:
    fill("solar.power", 200 + 100 * np.sin(np.arange(120) / 5), step_ms=60_000)
    answer = await ask(client, "?analysis_type=all&time_window_hours=2")
    assert answer["summary"]["data_quality"] == "good"


@pytest.mark.parametrize("hours", [24, 168, 720])
async def test_a_counter_that_grows_steadily_is_nothing_strange(
    client: QuartClient, fill: Callable[..., None], now_ms: int, hours: int
) -> None:
    """Filled for a day; its first bucket, those beside a gap and the newest are not full."""
    run_hours = 1_000 + np.arange(1440) / 60
    fill("generator_run_hours", run_hours[:900], step_ms=60_000, end_ms=now_ms - 540 * 60_000)
    fill("generator_run_hours", run_hours[987:], step_ms=60_000)
    answer = await ask(client, f"?analysis_type=all&time_window_hours={hours}")
    assert answer["anomalies"] == []
    assert answer["patterns"] == []
    assert {each["predicted_value"] for each in answer["predictions"]} <= {1.0}


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("pattern_detection", (True, False, False)),
        ("anomaly_detection", (False, True, False)),
        ("correlation", (False, False, True)),
        ("all", (True, True, True)),
    ],
)
@pytest.mark.parametrize("predictions", ["true", "false"])
async def test_only_what_was_asked_for_is_computed(
    client: QuartClient, monkeypatch: pytest.MonkeyPatch, now_ms: int, kind: str, asked: Any, predictions: str
) -> None:
    seen: dict[str, Any] = {}

    def analyze(series: Any, now: int, catalogue: Any, **parts: bool) -> Analysis:
        seen.update(parts)
        return Analysis(
            [Pattern("p", "baseline", "a", "A", 0.5, None, (), None, now_ms)],
            [Correlation("a", "b", 0.9, 60_000, 1e-9, 100)],
            [Anomaly("a", now_ms, now_ms - 1, now_ms + 1, 1.0, 2.0, 3.0, 9.0, "high", "text")],
            [Prediction("a", now_ms + 1, 1.0, 0.5, 1.5, 0.9, "trend")],
        )

    monkeypatch.setattr(historical, "analyze", analyze)
    answer = await ask(client, f"?analysis_type={kind}&include_predictions={predictions}")
    assert (seen["patterns"], seen["anomalies"], seen["correlations"]) == asked
    assert seen["predictions"] == (predictions == "true")
    assert answer["patterns"][0]["correlation_factors"] == []
    assert answer["summary"] == {
        "patterns_found": 1,
        "anomalies_detected": 1,
        "correlations_found": 1,
        "predictions_generated": 1,
        "data_quality": "no_data",
        "confidence": 0.5,
    }


@pytest.mark.parametrize("query", ["analysis_type=magic", "time_window_hours=0", "include_predictions=perhaps"])
async def test_bad_queries(client: QuartClient, query: str) -> None:
    response = await client.get(f"/api/analytics/historical?{query}")
    assert response.status_code == 422

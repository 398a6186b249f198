"""/trends: real buckets, directions, anomalies; bounded; what the dashboard reads is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from quart.testing import QuartClient

from analytics.records import Insight
from gateway.backend import Backend
from gateway.rest import trends

Fill = Callable[..., None]


async def ask(client: QuartClient, query: str = "") -> dict[str, Any]:
    response = await client.get(f"/api/analytics/trends{query}")
    assert response.status_code == 200
    answer: dict[str, Any] = json.loads(await response.get_data())
    return answer


async def test_without_any_data(client: QuartClient) -> None:
    answer = await ask(client)
    assert answer["metrics"] == {}
    assert answer["summary"]["key_insights"] == []
    assert (answer["time_window_hours"], answer["resolution"], answer["complete"]) == (24, "1h", True)


async def test_a_metric_asked_for_that_nobody_recorded(client: QuartClient) -> None:
    metric = (await ask(client, "?metrics=battery.house.voltage"))["metrics"]["battery.house.voltage"]
    assert metric == {
        "trend_direction": "stable",
        "change_percent": 0.0,
        "anomaly_count": 0,
        "data_quality": "no_data",
        "current_value": None,
        "unit": "V",
        "data_points": [],
    }


async def test_buckets_add_up(client: QuartClient, fill: Fill, now_ms: int) -> None:
    fill("tank.fresh.level", np.linspace(100, 40, 3600))
    answer = await ask(client, "?time_window_hours=1&resolution=1m&metrics=tank.fresh.level")
    metric = answer["metrics"]["tank.fresh.level"]
    points = metric["data_points"]
    assert sum(point["count"] for point in points) == 3600
    assert all(point["timestamp"] % 60 == 0 for point in points)
    assert all(point["min"] <= point["value"] <= point["max"] for point in points)
    assert points == sorted(points, key=lambda point: point["timestamp"])
    assert metric["trend_direction"] == "down"
    assert metric["change_percent"] == pytest.approx(-60, abs=3)
    assert metric["current_value"] == 40.0
    assert metric["data_quality"] == "good"
    assert answer["summary"]["trending_down"] == 1
    assert "went down by" in answer["summary"]["key_insights"][0]


async def test_an_outlier_is_counted(client: QuartClient, fill: Fill) -> None:
    values = 13 + 0.05 * np.random.default_rng(7).standard_normal(7200)
    values[3600:3720] = 9.0
    fill("battery.house.voltage", values)
    answer = await ask(client, "?time_window_hours=2&resolution=1m")
    metric = answer["metrics"]["battery.house.voltage"]
    assert metric["anomaly_count"] == 1
    worst = max(metric["data_points"], key=lambda point: point["anomaly_score"])
    assert worst["value"] == pytest.approx(9, abs=2.1)
    assert worst["baseline_deviation"] < -6
    assert answer["summary"]["total_anomalies"] == 1


@pytest.mark.parametrize(
    ("values", "direction", "change"),
    [
        (np.where(np.arange(120) < 60, 1.0, 9.0), "up", 800.0),
        (np.where(np.arange(120) < 90, -4.0, -6.0), "down", -50.0),
        (20 + 8 * np.sin(np.arange(120) / 120 * 2 * np.pi), "stable", 0.0),
        (np.full(120, 7.0), "stable", 0.0),
        ([10.0, 20.0], "stable", 0.0),
        (np.random.default_rng(3).normal(50, 2, 120), "stable", 0.0),
    ],
)
async def test_direction_and_change_agree(
    client: QuartClient, fill: Fill, values: Any, direction: str, change: float
) -> None:
    fill("a", values, step_ms=60_000)
    metric = (await ask(client, "?time_window_hours=2&resolution=5m"))["metrics"]["a"]
    assert (metric["trend_direction"], metric["change_percent"]) == (direction, pytest.approx(change, rel=0.02))


async def test_few_points_are_limited(client: QuartClient, fill: Fill) -> None:
    fill("a", [1, 2, 3])
    assert (await ask(client))["metrics"]["a"]["data_quality"] == "limited"


async def test_alerts_are_the_severe_insights(
    client: QuartClient, backend: Backend, insight: Callable[..., Insight]
) -> None:
    backend.book.upsert_insight(insight())
    backend.book.upsert_insight(insight("x", severity="low", metric="b", title="Low"))
    answer = await ask(client)
    assert answer["alerts"] == [
        {
            "type": "limit",
            "severity": "high",
            "message": "Refrigerator is too warm: It is 9.4 °C.",
            "recommendation": "Close the door.",
            "metric": "fridge.temperature",
        }
    ]
    assert len(answer["insights"]) == 2
    assert answer["summary"]["key_insights"] == ["Refrigerator is too warm"]
    assert (await ask(client, "?metrics=b"))["alerts"] == []


async def test_the_answer_is_bounded(client: QuartClient, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        fill(f"m{n}", [1, 2])
    monkeypatch.setattr(trends, "MAX_POINTS", 75)  # three metrics of 25 points
    answer = await ask(client)
    assert list(answer["metrics"]) == ["m0", "m1", "m2"]
    assert (answer["truncated"], answer["summary"]["total_metrics"]) == (True, 5)
    answer = await ask(client, "?metrics=m4,m3")
    assert list(answer["metrics"]) == ["m4", "m3"]
    assert not answer["truncated"]


@pytest.mark.parametrize(
    "query", ["time_window_hours=0", "time_window_hours=721", "time_window_hours=x", "resolution=2h"]
)
async def test_bad_queries(client: QuartClient, query: str) -> None:
    response = await client.get(f"/api/analytics/trends?{query}")
    assert response.status_code == 422
    answer = json.loads(await response.get_data())
    assert answer["errors"][0]["parameter"] == query.split("=")[0]


async def test_large_and_tiny_numbers_stay_numbers(client: QuartClient, fill: Fill) -> None:
    fill("large", np.full(100, 1.7e308))
    fill("tiny", np.full(100, 5e-324))
    await ask(client, "?time_window_hours=1&resolution=1m")


@pytest.mark.parametrize("resolution", ["1m", "5m", "15m", "1h", "6h", "1d"])
async def test_the_direction_does_not_hang_on_the_resolution(client: QuartClient, fill: Fill, resolution: str) -> None:
    fill("falling", [100.0 - n for n in range(60)], step_ms=60_000)
    falling = (await ask(client, f"?metrics=falling&resolution={resolution}"))["metrics"]["falling"]
    assert falling["trend_direction"] == "down"
    assert -62 < falling["change_percent"] < -50


@pytest.mark.parametrize("resolution", ["1m", "5m", "1h", "6h", "1d"])
async def test_nothing_before_the_window_counts(client: QuartClient, fill: Fill, resolution: str) -> None:
    """A metric that rose all day and lay still in the two hours that are asked for is still."""
    fill("rose", [float(min(n, 1440)) for n in range(1565)], step_ms=60_000)
    fill("rises", [10 + 0.1 * n for n in range(1565)], step_ms=60_000)
    answer = await ask(client, f"?time_window_hours=2&resolution={resolution}")
    rose, rises = answer["metrics"]["rose"], answer["metrics"]["rises"]
    assert (rose["trend_direction"], rose["change_percent"]) == ("stable", 0.0)
    assert sum(point["count"] for point in rose["data_points"]) == 121  # both ends
    assert rises["change_percent"] == pytest.approx(100 * 12 / 154.4, abs=0.2)


async def test_large_changes_are_written_out(client: QuartClient, fill: Fill) -> None:
    fill("a", np.linspace(1, 13.5, 60), step_ms=60_000)
    assert "A went up by 1,2" in (await ask(client, "?time_window_hours=1&resolution=1m"))["summary"]["key_insights"][0]


async def test_a_metric_nobody_recorded_is_not_stable(client: QuartClient) -> None:
    assert (await ask(client, "?metrics=nobody"))["summary"]["stable"] == 0

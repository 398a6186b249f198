"""/aggregation: figures that add up, KPIs without objects, groups by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from quart.testing import QuartClient

from analytics.records import Insight
from gateway.backend import Backend
from gateway.rest import aggregation
from gateway.rest.aggregation import group_of


async def ask(client: QuartClient, query: str = "") -> dict[str, Any]:
    response = await client.get(f"/api/analytics/aggregation{query}")
    assert response.status_code == 200
    answer: dict[str, Any] = json.loads(await response.get_data())
    return answer


async def test_without_any_data(client: QuartClient) -> None:
    answer = await ask(client)
    assert answer["windows"] == {"1h": {}, "6h": {}, "1d": {}, "1w": {}}
    assert answer["recommendations"] == []
    assert all(isinstance(value, int | float | str) for value in answer["kpis"].values())
    assert answer["kpis"]["metrics_tracked"] == 0


async def test_figures_of_the_last_hour(client: QuartClient, fill: Callable[..., None]) -> None:
    values = np.concatenate([np.full(3560, 10.0), np.full(1890, 20.0), np.full(1750, 30.0)])
    fill("tank.fresh.level", values)
    answer = await ask(client, "?aggregation_windows=1h")
    figures = answer["windows"]["1h"]["tank"]["tank.fresh.level"]
    assert figures["count"] == 3600
    assert figures["avg"] == pytest.approx((1850 * 20 + 1750 * 30) / 3600, abs=1e-3)
    assert (figures["min"], figures["max"]) == (20.0, 30.0)
    assert figures["sum"] == pytest.approx(1850 * 20 + 1750 * 30)
    assert (figures["p50"], figures["p95"]) == (20.0, 30.0)
    assert figures["previous"] == pytest.approx((3560 * 10 + 40 * 20) / 3600, abs=1e-3)
    assert figures["change_percent"] == pytest.approx(146, abs=1)
    assert answer["trends"] == {"tank.fresh.level": figures["trend_direction"]}
    assert answer["benchmarks"]["tank.fresh.level"] == {
        "value": 30.0,
        "unit": "%",
        "low": 15.0,
        "high": None,
        "within": True,
    }
    assert answer["kpis"]["within_limits_percent"] == 100.0


async def test_an_impossible_value_is_no_benchmark(client: QuartClient, fill: Callable[..., None]) -> None:
    fill("tank.grey.front", [50.0, 91.0, -999.0, -999.0], step_ms=60_000)
    fill("tank.grey.rear", [-999.0])
    answer = await ask(client)
    found = answer["benchmarks"]
    assert list(found) == ["tank.grey.front"]
    assert (found["tank.grey.front"]["value"], found["tank.grey.front"]["within"]) == (91.0, False)
    assert answer["kpis"]["metrics_outside_limits"] == 1


async def test_percentiles_are_those_of_the_samples_in_every_window(
    client: QuartClient, fill: Callable[..., None]
) -> None:
    fill("tank.fresh.level", np.arange(10.0, 20.0))
    windows = (await ask(client))["windows"]
    for figures in (window["tank"]["tank.fresh.level"] for window in windows.values()):
        assert (figures["count"], figures["p50"], figures["p95"]) == (10, 14.5, 18.55)


async def test_many_samples_are_summed_up(
    client: QuartClient, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a metric that has many in a day only has its hour told exactly."""
    fill("a.many", np.arange(7000.0))
    fill("b.few", np.arange(10.0))
    monkeypatch.setattr(aggregation, "EXACT_SAMPLES", 100)
    summed = (await ask(client))["windows"]
    monkeypatch.setattr(aggregation, "EXACT_SAMPLES", 100_000)
    exact = (await ask(client))["windows"]
    assert summed["1h"]["b"] == exact["1h"]["b"]
    assert exact["1h"]["a"]["a.many"]["count"] == 3600
    assert 3600 < summed["1h"]["a"]["a.many"]["count"] <= 3630  # from the line before
    for window in ("6h", "1d", "1w"):
        assert summed[window]["a"]["a.many"]["count"] == exact[window]["a"]["a.many"]["count"] == 7000
        assert summed[window]["a"]["a.many"]["p95"] == pytest.approx(exact[window]["a"]["a.many"]["p95"], rel=0.3)


async def test_groups(client: QuartClient, fill: Callable[..., None]) -> None:
    for name in ("tank.a", "light.b", "rate"):
        fill(name, [1, 2])
    answer = await ask(client, "?metric_groups=light,other&aggregation_windows=6h&aggregation_windows=1d")
    assert list(answer["windows"]) == ["6h", "1d"]
    assert answer["windows"]["1d"].keys() == {"light", "other"}
    assert answer["kpis"]["metrics_tracked"] == 2


async def test_recommendations_are_texts(
    client: QuartClient, backend: Backend, insight: Callable[..., Insight]
) -> None:
    backend.book.upsert_insight(insight("a"))
    backend.book.upsert_insight(insight("b"))
    answer = await ask(client)
    assert answer["recommendations"] == ["Close the door."]
    assert answer["kpis"]["open_insights"] == 2


async def test_the_answer_is_bounded(
    client: QuartClient, fill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        fill(f"m.{n}", [1])
    monkeypatch.setattr(aggregation, "MAX_METRICS", 2)
    for query in ("", "?metric_groups=m"):
        answer = await ask(client, query)
        assert answer["truncated"]
        assert len(answer["windows"]["1w"]["m"]) == 2


async def test_bad_queries(client: QuartClient) -> None:
    response = await client.get("/api/analytics/aggregation?aggregation_windows=1h,2y")
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("name", "group"),
    [("battery.house.voltage", "battery"), ("can0/rate", "can0"), ("rate", "other"), (".x", "other")],
)
def test_group_of(name: str, group: str) -> None:
    assert group_of(name) == group

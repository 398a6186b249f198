"""Charts: one grid for all metrics, what stands out, gaps, notes, and a CSV of the same rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from quart.testing import QuartClient

from analytics.records import Insight
from gateway.backend import Backend
from gateway.rest.charts import MAX_METRICS

Fill = Callable[..., None]
PATH = "/api/analytics/charts"


async def ask(client: QuartClient, query: str) -> dict[str, Any]:
    response = await client.get(f"{PATH}?{query}")
    answer: dict[str, Any] = json.loads(await response.get_data())
    assert response.status_code == 200, answer
    return answer


async def test_metrics_share_one_grid_in_the_order_asked_for(client: QuartClient, fill: Fill, now_ms: int) -> None:
    fill("a", np.arange(600.0))
    fill("b", [1.0, 2.0], step_ms=60_000)
    now = now_ms / 1000
    answer = await ask(client, f"metrics=b,a,none&start={now - 600}&end={now + 1}&max_points=20")
    assert answer["step_seconds"] == 60.0
    assert [each["metric"] for each in answer["series"]] == ["b", "a", "none"]
    b, a, none = answer["series"]
    assert set(b["times"]) <= set(a["times"])
    assert sum(a["counts"]) == 600
    assert a["mins"][0] == 0.0
    assert a["maxs"][-1] == 599.0
    assert all(time % 60 == 0 for time in a["times"])
    assert none["times"] == none["gaps"] == none["anomalies"] == []
    assert none["expected_low"] is None


async def test_what_stands_out_is_an_anomaly_outside_the_band(client: QuartClient, fill: Fill, now_ms: int) -> None:
    values = 20 + np.sin(np.arange(200.0))
    values[120] = 60
    fill("a", values, step_ms=10_000)
    answer = await ask(client, f"metrics=a&start={now_ms / 1000 - 2000}")
    (series,) = answer["series"]
    (anomaly,) = series["anomalies"]
    at = series["times"].index(anomaly["timestamp"])
    assert series["values"][at] == anomaly["value"] == 60.0
    assert series["values"][at] > series["expected_high"][at]
    assert series["scores"][at] > 0.5
    assert anomaly["start"] <= anomaly["timestamp"] < anomaly["end"]
    inside = [low <= value <= high for low, value, high in
              zip(series["expected_low"], series["values"], series["expected_high"], strict=True)]  # fmt: skip
    assert inside.count(False) == 1


async def test_a_silence_is_a_gap_but_not_of_a_state(client: QuartClient, fill: Fill, now_ms: int) -> None:
    for name in ("a", "light.x"):
        fill(name, np.arange(60.0) % 2, step_ms=10_000, end_ms=now_ms - 1_800_000)
        fill(name, np.arange(60.0) % 2, step_ms=10_000)
    answer = await ask(client, f"metrics=a,light.x&start={now_ms / 1000 - 3600}")
    series, state = answer["series"]
    ((start, end),) = series["gaps"]
    assert start == pytest.approx(now_ms / 1000 - 1800, abs=20)
    assert end == pytest.approx(now_ms / 1000 - 600, abs=20)
    assert state["gaps"] == []


async def test_insights_of_the_metric_within_the_range_are_noted(
    client: QuartClient, backend: Backend, fill: Fill, insight: Callable[..., Insight], now_ms: int
) -> None:
    fill("fridge.temperature", np.arange(10.0))
    backend.book.upsert_insight(insight(evidence={"start": now_ms / 1000 - 60, "end": now_ms / 1000 - 30}))
    backend.book.upsert_insight(insight("old", metric="fridge.temperature", evidence={"start": 1.0, "end": 2.0}))
    answer = await ask(client, "metrics=fridge.temperature")
    (note,) = answer["series"][0]["notes"]
    assert (note["title"], note["end"] - note["start"]) == ("Refrigerator is too warm", 30.0)


async def test_csv_is_the_same_rows(client: QuartClient, fill: Fill) -> None:
    fill("a", np.arange(100.0) / 3)
    fill('b,"c" ', [5.0])
    query = "metrics=a&metric=b%2C%22c%22%20"
    answer = await ask(client, query)
    response = await client.get(f"{PATH}?{query}&format=csv")
    assert response.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO((await response.get_data()).decode())))
    assert rows[0] == ["metric_name", "timestamp", "value", "min", "max", "count"]
    drawn = [
        [series["metric"], *row]
        for series in answer["series"]
        for row in zip(*(series[name] for name in ("times", "values", "mins", "maxs", "counts")), strict=True)
    ]
    assert [[row[0], *map(float, row[1:])] for row in rows[1:]] == drawn
    assert drawn[-1][0] == 'b,"c" '


async def test_since_the_oldest_sample(client: QuartClient, fill: Fill, now_ms: int) -> None:
    fill("a", np.arange(60.0), step_ms=60_000)
    answer = await ask(client, "metrics=a&start=0")
    assert now_ms / 1000 - 3600 <= answer["start"] <= now_ms / 1000 - 3540
    assert answer["step_seconds"] <= 60
    assert sum(answer["series"][0]["counts"]) == 60


async def test_no_more_buckets_than_asked_for(client: QuartClient, fill: Fill, now_ms: int) -> None:
    fill("a", np.arange(600.0))
    for start in range(60):
        begin = now_ms / 1000 - 200 - start
        answer = await ask(client, f"metrics=a&start={begin}&end={begin + 130}&max_points=3")
        assert len(answer["series"][0]["times"]) <= 3


async def test_the_oldest_of_samples_on_several_days(client: QuartClient, fill: Fill, now_ms: int) -> None:
    fill("a", np.arange(3.0), step_ms=86_400_000 // 2 + 1)
    answer = await ask(client, "metrics=a&start=0")
    assert 0 <= now_ms / 1000 - 86_400.002 - answer["start"] < 60
    assert sum(answer["series"][0]["counts"]) == 3


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "metrics"),
        ("metrics=" + ",".join(f"m{number}" for number in range(MAX_METRICS + 1)), "metrics"),
        ("metrics=a&start=5&end=5", "start"),
        ("metrics=a&max_points=1", "max_points"),
        ("metrics=a&format=xml", "format"),
    ],
)
async def test_what_is_wrong_is_named(client: QuartClient, query: str, parameter: str) -> None:
    response = await client.get(f"{PATH}?{query}")
    assert response.status_code == 422
    assert json.loads(await response.get_data())["errors"][0]["parameter"] == parameter


async def test_a_line_is_the_same_line_without_what_a_small_picture_does_not_show(
    client: QuartClient, fill: Fill, now_ms: int
) -> None:
    values = 20 + np.sin(np.arange(200.0))
    values[120] = 60
    fill("a.level", values, step_ms=10_000)
    (full,) = (await ask(client, f"metrics=a.level&start={now_ms / 1000 - 2000}"))["series"]
    (line,) = (await ask(client, f"metrics=a.level&start={now_ms / 1000 - 2000}&detail=line"))["series"]
    kept = {"metric", "title", "unit", "kind", "low", "high", "times", "values", "gaps"}
    assert {name: line[name] for name in kept} == {name: full[name] for name in kept}
    assert line["title"] == "A level"
    assert full["anomalies"] != []
    assert all(line[name] in ([], None) for name in set(line) - kept)

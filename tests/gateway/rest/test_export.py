"""Several metrics in one download: the rows of their charts, in pages, and no formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from quart.testing import QuartClient

from gateway.backend import Backend
from gateway.recording import guarded, open_recording
from gateway.rest import series

Fill = Callable[..., None]


async def ask(client: QuartClient, query: str = "", status: int = 200) -> bytes:
    response = await client.get(f"/api/analytics/export{query}")
    assert response.status_code == status
    return await response.get_data()


async def rows_of(client: QuartClient, query: str = "") -> list[list[str]]:
    return list(csv.reader(io.StringIO((await ask(client, query)).decode())))


@pytest.mark.parametrize("resolution", ["raw", "1m", "1h"])
async def test_both_forms_have_the_rows_of_the_chart(client: QuartClient, fill: Fill, resolution: str) -> None:
    fill("a", np.arange(500) / 7)
    fill("b", -np.arange(300), step_ms=10_000)
    charts = []
    for name in ("b", "a"):
        response = await client.get(f"/api/analytics/metrics/{name}/data?resolution={resolution}")
        charts.append((name, json.loads(await response.get_data())["data_points"]))
    answer = json.loads(await ask(client, f"?metrics=b,a&resolution={resolution}&format=json"))
    assert [(each["metric_name"], each["data_points"]) for each in answer["metrics"]] == charts
    header, *rows = await rows_of(client, f"?metrics=b,a&resolution={resolution}")
    members = header[1:]
    assert header[:3] == ["metric_name", "timestamp", "value"]
    assert [(row[0], dict(zip(members, map(float, row[1:]), strict=True))) for row in rows] == [
        (name, point) for name, points in charts for point in points
    ]


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_pages_join_without_a_seam(
    client: QuartClient, fill: Fill, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(series, "MAX_ROWS", 250)  # Quart's test client takes few pieces
    fill("a", np.arange(1000))
    content = await ask(client, f"?format={form}")
    if form == "json":
        values = [point["value"] for point in json.loads(content)["metrics"][0]["data_points"]]
    else:
        values = [float(row[2]) for row in list(csv.reader(io.StringIO(content.decode())))[1:]]
    assert values == list(range(1000))


async def test_csv_of_one_metric_is_whole_too(client: QuartClient, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "MAX_ROWS", 250)  # Quart's test client takes few pieces
    fill("a", np.arange(1000))
    for resolution, count in (("raw", 1000),):
        response = await client.get(f"/api/analytics/metrics/a/data?resolution={resolution}&format=csv")
        rows = list(csv.reader(io.StringIO((await response.get_data()).decode())))
        assert len(rows) == count + 1
        assert "Link" not in response.headers
        assert len({row[0] for row in rows}) == count + 1


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", '=HYPERLINK("http://evil","x")', "a,b", 'a"b'])
async def test_a_name_is_never_a_formula(client: QuartClient, fill: Fill, name: str) -> None:
    fill(name, [-5])
    asked = quote(name.replace(",", "\\,"), safe="")
    (row,) = (await rows_of(client, f"?metrics={asked}"))[1:]
    assert row[0] == guarded(name)
    assert row[0][0] not in "=+-@\t\r"
    assert row[2] == "-5.0"  # a number stays one


async def test_names_come_back_as_they_were(client: QuartClient, fill: Fill, tmp_path: Path) -> None:
    names = ["'", "''=cmd", "'=cmd", "'cmd", "-x", "=cmd", "a'=b"]
    for name in names:
        fill(name, [1])
    (tmp_path / "a.csv").write_bytes(await ask(client))
    with open_recording(tmp_path / "a.csv") as recording:
        assert [row.name for row in recording] == names


async def test_nothing_to_export(client: QuartClient) -> None:
    assert await rows_of(client) == [["metric_name", "timestamp", "value"]]
    assert json.loads(await ask(client, "?format=json"))["metrics"] == []


async def test_what_cannot_be_asked(client: QuartClient, fill: Fill) -> None:
    fill("a", [1])
    assert b"No metric is called b" in await ask(client, "?metrics=a,b", 404)
    for query in ("?start=5&end=4", "?resolution=2m", "?format=xml", "?start=x"):
        await ask(client, query, 422)


async def test_too_many_metrics_are_named_as_such(client: QuartClient) -> None:
    asked = ",".join(f"m{number}" for number in range(1_001))
    problem = json.loads(await ask(client, f"?metrics={asked}", 422))
    assert problem["errors"] == [{"parameter": "metrics", "message": "at most 1000 at once, these are 1001"}]


async def test_rows_are_paid_for(client: QuartClient, fill: Fill, backend: Backend) -> None:
    fill("a", np.arange(500))
    paid: list[tuple[Any, ...]] = []
    backend.access.limits.pay = lambda *what: paid.append(what)  # type: ignore[method-assign]
    await ask(client)
    assert [(kind, amount) for kind, _, amount in paid] == [("points", 500)]

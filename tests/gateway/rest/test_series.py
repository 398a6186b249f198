"""The data of one metric: raw or by buckets, JSON or CSV, any name, any length."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from quart import Response
from quart.testing import QuartClient

from gateway.backend import Backend
from gateway.rest import series
from storage.models import SeriesPart

Fill = Callable[..., None]


def path(name: str) -> str:
    return f"/api/analytics/metrics/{quote(name)}/data"


async def ask(client: QuartClient, query: str = "", name: str = "a") -> dict[str, Any]:
    response = await client.get(path(name) + query)
    assert response.status_code == 200
    answer: dict[str, Any] = json.loads(await response.get_data())
    return answer


async def test_raw_is_every_sample_as_it_came(client: QuartClient, fill: Fill, now_ms: int) -> None:
    fill("a", [0.1, 1 / 3, 123456789.123456])
    answer = await ask(client, "?resolution=raw")
    assert [point["value"] for point in answer["data_points"]] == [0.1, 1 / 3, 123456789.123456]
    assert [point["timestamp"] for point in answer["data_points"]] == [
        now_ms / 1000 - 2,
        now_ms / 1000 - 1,
        now_ms / 1000,
    ]
    assert (answer["resolution"], answer["next_start"], answer["unit"]) == ("raw", None, None)
    assert answer["end"] - answer["start"] == pytest.approx(86_400)


async def test_buckets(client: QuartClient, fill: Fill) -> None:
    fill("a", np.arange(7200))
    answer = await ask(client, "?resolution=5m")
    points = answer["data_points"]
    assert sum(point["count"] for point in points) == 7200
    assert points[1] == {
        "timestamp": points[0]["timestamp"] + 300,
        "value": pytest.approx(points[0]["max"] + 150.5),
        "min": points[0]["max"] + 1,
        "max": points[0]["max"] + 300,
        "count": 300,
    }


async def test_a_span_is_half_open(client: QuartClient, fill: Fill, now_ms: int) -> None:
    fill("a", [1, 2, 3, 4])
    end = now_ms / 1000
    answer = await ask(client, f"?resolution=raw&start={end - 2}&end={end}")
    assert [point["value"] for point in answer["data_points"]] == [2, 3]


async def test_a_bucket_reaches_over_neither_end(client: QuartClient, fill: Fill, now_ms: int) -> None:
    fill("a", np.arange(600))
    end = now_ms / 1000
    answer = await ask(client, f"?resolution=1d&start={end - 100}&end={end - 90}")
    assert sum(point["count"] for point in answer["data_points"]) == 10


async def minutes(client: QuartClient, start: float | None, *, most: int, query: str = "") -> list[dict[str, Any]]:
    """Buckets of a minute, page after page of at most so many."""
    points: list[dict[str, Any]] = []
    while start is not None:
        answer = await ask(client, f"?resolution=1m&start={start}{query}")
        assert len(answer["data_points"]) <= most
        points += answer["data_points"]
        start = answer["next_start"]
    return points


async def test_the_size_of_the_chart_bounds_a_resolution_too(client: QuartClient, fill: Fill) -> None:
    fill("a", np.arange(7200))
    points = await minutes(client, 0.0, most=7, query="&max_points=7")
    assert sum(point["count"] for point in points) == 7200


@pytest.mark.parametrize(
    ("points", "resolution"),
    [(10_000, "raw"), (2_000, "1m"), (100, "15m"), (25, "1h"), (24, "6h"), (5, "6h"), (2, "1d")],
)
async def test_the_resolution_fits_the_chart(client: QuartClient, fill: Fill, points: int, resolution: str) -> None:
    fill("a", np.arange(7_000))
    answer = await ask(client, f"?max_points={points}")
    assert answer["resolution"] == resolution
    assert len(answer["data_points"]) <= points


async def test_a_long_answer_is_read_page_by_page(
    client: QuartClient, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("a", np.arange(1_000), step_ms=700)
    monkeypatch.setattr(series, "MAX_ROWS", 64)
    found: list[float] = []
    link: str | None = f"{path('a')}?resolution=raw"
    pages = 0
    while link is not None:
        response = await client.get(link)
        answer = json.loads(await response.get_data())
        found += [point["value"] for point in answer["data_points"]]
        pages += 1
        header = response.headers.get("Link")
        assert (header is None) == (answer["next_start"] is None)
        link = None if header is None else header.removesuffix('>; rel="next"').removeprefix("<")
    assert found == list(range(1_000))
    assert pages == 16


async def test_many_buckets_are_read_page_by_page(
    client: QuartClient, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("a", np.arange(120), step_ms=60_000)
    monkeypatch.setattr(series, "MAX_ROWS", 50)
    points = await minutes(client, 1759992000.0, most=50)
    assert [point["value"] for point in points] == list(range(120))


async def test_from_the_beginning_of_time_the_first_page_begins_at_the_first_sample(
    client: QuartClient, fill: Fill, backend: Backend, now_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the gap between two stretches of samples, wider than a page, costs no empty page."""
    monkeypatch.setattr(series, "MAX_ROWS", 50)
    fill("a", np.arange(20), step_ms=60_000, end_ms=now_ms - 6_000_000)
    fill("a", np.arange(20, 40), step_ms=60_000)
    start, found, pages = 0.0, [], 0
    while start is not None:
        answer = await ask(client, f"?resolution=1m&start={start}")
        assert answer["data_points"]
        found += [point["value"] for point in answer["data_points"]]
        start, pages = answer["next_start"], pages + 1
    assert (found, pages) == (list(range(40)), 2)
    assert (await ask(client, f"?resolution=1m&start=0&end={now_ms / 1000 - 10_000_000}"))["data_points"] == []


async def rows_of(response: Response) -> list[list[str]]:
    assert response.mimetype == "text/csv"
    return list(csv.reader(io.StringIO((await response.get_data()).decode())))


@pytest.mark.parametrize(
    ("query", "accept"), [("&format=csv", "application/json"), ("", "text/csv"), ("", "text/csv, */*;q=0.1")]
)
@pytest.mark.parametrize("resolution", ["raw", "1m"])
async def test_csv_has_the_same_rows(client: QuartClient, fill: Fill, query: str, accept: str, resolution: str) -> None:
    fill("a", np.arange(500) / 7)
    answer = await ask(client, f"?resolution={resolution}")
    response = await client.get(f"{path('a')}?resolution={resolution}{query}", headers={"Accept": accept})
    header, *rows = await rows_of(response)
    assert header == list(answer["data_points"][0])
    assert [dict(zip(header, map(float, row), strict=True)) for row in rows] == answer["data_points"]
    assert response.headers["Content-Disposition"] == 'attachment; filename="a.csv"'


async def test_without_a_span_it_is_the_last_day_whatever_a_clock_that_was_ahead_left_behind(
    client: QuartClient, backend: Backend, fill: Fill, now_ms: int
) -> None:
    ahead_ms = now_ms + 5 * 365 * 86_400_000
    backend.memory.append(SeriesPart("a", np.array([ahead_ms]), np.array([9.0])), seq=1, now_ms=ahead_ms)
    fill("a", [1.0, 2.0])
    assert [point["value"] for point in (await ask(client))["data_points"]] == [1.0, 2.0]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/csv;q=0.5, application/json", "text/html"])
async def test_json_is_the_default(client: QuartClient, fill: Fill, accept: str) -> None:
    fill("a", [1])
    response = await client.get(path("a"), headers={"Accept": accept})
    assert response.mimetype == "application/json"


@pytest.mark.parametrize(
    "name",
    ["a.b", "x@y/z", "a//b", "/a", "//", "a/", "a b", "ü/日本", "data", "a/data", "50%", "a,b", "a?b#c", "batch"],
)
async def test_any_name_works(client: QuartClient, fill: Fill, name: str) -> None:
    fill(name, [7])
    answer = await ask(client, "?resolution=raw", name)
    assert (answer["metric_name"], len(answer["data_points"])) == (name, 1)
    response = await client.get(f"{path(name)}?format=csv")
    assert response.status_code == 200


async def test_an_unknown_name(client: QuartClient) -> None:
    response = await client.get(path("nobody/knows"))
    assert response.status_code == 404
    assert json.loads(await response.get_data())["detail"] == "No metric is called nobody/knows"


async def test_a_known_name_without_data_in_the_span(client: QuartClient, fill: Fill) -> None:
    fill("a", [1])
    for resolution in ("raw", "1h"):
        assert (await ask(client, f"?start=1&end=2&resolution={resolution}"))["data_points"] == []
    response = await client.get(f"{path('a')}?start=1&end=2&format=csv&resolution=raw")
    assert await rows_of(response) == [["timestamp", "value"]]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("start=5&end=5", "start"),
        ("start=x", "start"),
        ("start=nan", "start"),
        ("end=-1", "end"),
        ("end=1e300", "end"),
        ("resolution=2m", "resolution"),
        ("max_points=1", "max_points"),
        ("format=xml", "format"),
    ],
)
async def test_bad_queries(client: QuartClient, query: str, parameter: str) -> None:
    response = await client.get(f"{path('a')}?{query}")
    assert response.status_code == 422
    assert json.loads(await response.get_data())["errors"][0]["parameter"] == parameter


async def test_the_whole_of_time(client: QuartClient, fill: Fill, backend: Backend) -> None:
    fill("a", np.arange(50_000))
    answer = await ask(client, "?start=0&resolution=raw")
    assert len(answer["data_points"]) == series.MAX_ROWS
    assert answer["next_start"] is not None
    answer = await ask(client, "?start=0&end=9999999999")
    assert answer["resolution"] == "1d"


@pytest.mark.parametrize("way", ["data?", "data?resolution=raw&", "data?resolution=1m&", "columns?"])
async def test_a_span_that_ends_where_time_begins_is_empty(client: QuartClient, fill: Fill, way: str) -> None:
    fill("a", [1.0])
    response = await client.get(f"/api/analytics/metrics/a/{way}end=0")
    answer = json.loads(await response.get_data())
    assert (response.status_code, answer["complete"]) == (200, True)
    assert not answer.get("data_points")
    assert not answer.get("values")

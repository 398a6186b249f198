"""The list of metrics, by pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from quart.testing import QuartClient

from gateway.backend import Backend
from storage.models import SeriesPart

Fill = Callable[..., None]


async def ask(client: QuartClient, query: str = "") -> dict[str, Any]:
    response = await client.get(f"/api/analytics/metrics{query}")
    assert response.status_code == 200
    answer: dict[str, Any] = json.loads(await response.get_data())
    return answer


async def test_none(client: QuartClient) -> None:
    assert await ask(client) == {"total": 0, "metrics": [], "next_cursor": None}


async def test_an_entry(client: QuartClient, fill: Fill, now_ms: int) -> None:
    fill("battery.house.voltage", np.arange(100) / 3)
    (entry,) = (await ask(client))["metrics"]
    assert entry["bytes"] > 0
    del entry["bytes"]
    assert entry == {
        "name": "battery.house.voltage",
        "unit": "V",
        "kind": "gauge",
        "role": None,
        "title": "House battery",
        "last_value": 33.0,
        "last_timestamp": now_ms / 1000,
        "samples": 100,
        "bytes_per_day": None,
        "received": 100,
        "source": {"measurement": "battery.house", "field": "voltage", "tags": {}},
    }


async def test_what_a_metric_takes_a_day_does_not_depend_on_how_fast_its_past_was_sent(
    client: QuartClient, backend: Backend, now_ms: int
) -> None:
    times = now_ms - 120_000 - 1_000 * np.arange(3_600, -1, -1)  # an hour at 1 Hz, in one body
    part = SeriesPart("a", times, np.arange(3_601.0))
    backend.memory.append(part, seq=backend.memory.last_seq + 1, now_ms=now_ms - 120_000)
    (entry,) = (await ask(client))["metrics"]
    assert entry["bytes_per_day"] == pytest.approx(entry["bytes"] / entry["samples"] * 86_400, rel=1e-3)


async def test_few_samples_do_not_make_a_rate(client: QuartClient, backend: Backend, now_ms: int) -> None:
    for name, samples in (("few", 9), ("enough", 10)):
        times = now_ms - 120_000 - 1_000 * np.arange(samples)[::-1]
        part = SeriesPart(name, times, np.arange(float(samples)))
        backend.memory.append(part, seq=backend.memory.last_seq + 1, now_ms=now_ms - 120_000)
    rates = {entry["name"]: entry["bytes_per_day"] for entry in (await ask(client))["metrics"]}
    assert rates["few"] is None
    assert rates["enough"] > 0


async def test_the_last_value_is_rounded_as_other_numbers_are(client: QuartClient, fill: Fill) -> None:
    fill("a", [1 / 3])
    (entry,) = (await ask(client))["metrics"]
    assert entry["last_value"] == 0.333333


async def test_what_the_sender_said_of_a_metric(client: QuartClient, backend: Backend, now_ms: int) -> None:
    for name, metadata in (
        ("dishwasher", '{"unit":"W"}'),
        ("battery.house.voltage", '{"unit":"mV"}'),  # the catalogue knows better
        ("odd", '{"unit":7,"source":{"measurement":"elsewhere","field":"f","tags":[]}}'),
        ("list", "[]"),
        ("junk", "{"),
    ):
        part = SeriesPart(name, np.array([now_ms]), np.array([1.0]), metadata)
        backend.memory.append(part, seq=backend.memory.last_seq + 1, now_ms=now_ms)
    entries = {entry["name"]: entry for entry in (await ask(client))["metrics"]}
    units = {name: entry["unit"] for name, entry in entries.items()}
    assert units == {"dishwasher": "W", "battery.house.voltage": "V", "odd": None, "list": None, "junk": None}
    assert entries["odd"]["source"] == {"measurement": "odd", "field": "value", "tags": {}}


async def test_pages(client: QuartClient, fill: Fill) -> None:
    names = sorted(["a", "b/c", "ü", "z,y", "m n"])
    for name in names:
        fill(name, [1])
    found: list[str] = []
    cursor = ""
    while True:
        answer = await ask(client, f"?limit=2{cursor}")
        assert answer["total"] == 5
        found += [entry["name"] for entry in answer["metrics"]]
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert found == names


@pytest.mark.parametrize(
    ("match", "found"), [("a.*", ["a.b", "a.c"]), ("?.c", ["a.c"]), ("A*", []), ("*", ["a.b", "a.c"])]
)
async def test_match(client: QuartClient, fill: Fill, match: str, found: list[str]) -> None:
    for name in ("a.b", "a.c"):
        fill(name, [1])
    answer = await ask(client, f"?match={match}")
    assert [entry["name"] for entry in answer["metrics"]] == found
    assert answer["total"] == len(found)


async def test_a_bracket_is_a_letter(client: QuartClient, fill: Fill) -> None:
    fill("a[1]", [1])
    fill("a1", [1])
    for match in ("a[1]", "a[?]", "*]"):
        answer = await ask(client, f"?match={match}")
        assert [each["name"] for each in answer["metrics"]] == ["a[1]"]


async def test_bad_queries(client: QuartClient) -> None:
    assert (await client.get("/api/analytics/metrics?limit=0")).status_code == 422

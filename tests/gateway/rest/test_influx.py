"""Writing as Telegraf and Influx's own client do."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from gateway.backend import Backend
from gateway.rest.influx import MAX_PLAIN_BYTES, unpacked

STAMP = 1_759_999_999  # s
PATHS = ["/api/v2/write?org=o&bucket=b&precision=s", "/write?db=d&rp=r&consistency=one&precision=s"]


@pytest.mark.parametrize("path", PATHS)
async def test_points_are_recorded(client: Any, recorder: Any, backend: Backend, path: str) -> None:
    response = await client.post(path, data=f"tank,name=fresh level=62.5 {STAMP}\nbattery.house voltage=13.1 {STAMP}\n")
    assert response.status_code == 204
    assert await response.get_data() == b""
    assert sorted(backend.memory.names()) == ["battery.house.voltage", "tank.level{name=fresh}"]
    latest = backend.memory.latest()["battery.house.voltage"]
    assert (latest.time_ms, latest.value) == (STAMP * 1000, 13.1)


@pytest.mark.parametrize("path", PATHS)
async def test_a_partial_error_in_the_shape_of_influx(client: Any, recorder: Any, backend: Backend, path: str) -> None:
    response = await client.post(path, data=f"a f=1 {STAMP}\nb f= {STAMP}\nc f=3 {STAMP}\nd f=x")
    assert response.status_code == 400
    answer = json.loads(await response.get_data())
    assert answer["code"] == "invalid"
    assert answer["message"] == answer["error"] == answer["detail"]
    assert answer["message"].startswith("partial write: unable to parse 'b f= 1759999999': invalid field format")
    assert "dropped=2" in answer["message"]
    assert answer["line"] == 2
    assert [error["line"] for error in answer["errors"]] == [2, 4]
    assert sorted(backend.memory.names()) == ["a.f", "c.f"]


async def test_what_the_recorder_refuses_is_partial_too(client: Any, recorder: Any) -> None:
    response = await client.post(PATHS[0], data=f"a f=1 {STAMP}\na f=2 {STAMP + 86_400}")
    assert response.status_code == 400
    assert json.loads(await response.get_data())["line"] == 2


@pytest.mark.parametrize("lines", [f"a f=2 {STAMP}\nz f=1 {STAMP}", f"z f=1 {STAMP}"])
async def test_a_metric_too_many_is_not_to_be_sent_again(
    client: Any, recorder: Any, backend: Backend, monkeypatch: pytest.MonkeyPatch, lines: str
) -> None:
    assert (await client.post(PATHS[0], data=f"a f=1 {STAMP - 1}")).status_code == 204
    monkeypatch.setattr(backend.memory, "_max_series", 1)
    response = await client.post(PATHS[0], data=lines)
    assert response.status_code == 400
    assert "no room for a new one" in json.loads(await response.get_data())["message"]


async def test_strings_alone_are_no_error(client: Any, recorder: Any, backend: Backend) -> None:
    response = await client.post(PATHS[0], data='system uptime_format="1 day",name="x"')
    assert response.status_code == 204
    assert response.headers["X-Skipped-Fields"] == "2"
    assert backend.memory.names() == []


async def test_an_empty_body_is_fine(client: Any) -> None:
    assert (await client.post(PATHS[0], data=b"")).status_code == 204


async def test_gzip_that_was_cut_off_is_called_that(client: Any) -> None:
    for body, said in ((gzip.compress(b"m f=1")[:-4], "ends in the middle"), (b"m f=1", "is not gzip")):
        response = await client.post(PATHS[0], data=body, headers={"Content-Encoding": "gzip"})
        assert said in json.loads(await response.get_data())["detail"]


@pytest.mark.parametrize("size", [10, 5_000])
async def test_gzip(client: Any, recorder: Any, backend: Backend, size: int) -> None:
    body = "\n".join(f"m f={i} {STAMP - size + i}" for i in range(size)).encode()
    response = await client.post(PATHS[0], data=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    assert response.status_code == 204
    info = backend.memory.info("m.f")
    assert info is not None
    assert info.samples == size


@pytest.mark.parametrize(
    ("data", "encoding", "status"),
    [
        (gzip.compress(b"m f=1")[:-4], "gzip", 400),
        (b"m f=1", "gzip", 400),
        (gzip.compress(bytes(64 << 20)), "gzip", 413),
        (b"".join([gzip.compress(bytes(1 << 20))] * 8), "gzip", 413),
        (zlib.compress(b"m f=1"), "deflate", 415),
        (b"m f=1", "br", 415),
        (b"\xff f=1", "identity", 400),
    ],
)
async def test_bodies_that_cannot_be_read(client: Any, data: bytes, encoding: str, status: int) -> None:
    response = await client.post(PATHS[0], data=data, headers={"Content-Encoding": encoding})
    assert response.status_code == status
    answer = json.loads(await response.get_data())
    assert answer["message"] == answer["detail"]


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(OverflowError):
        unpacked(gzip.compress(bytes(MAX_PLAIN_BYTES + 1)), MAX_PLAIN_BYTES)
    assert len(unpacked(gzip.compress(bytes(MAX_PLAIN_BYTES)), MAX_PLAIN_BYTES)) == MAX_PLAIN_BYTES


async def test_an_unknown_precision(client: Any) -> None:
    response = await client.post("/write?precision=d", data=b"m f=1")
    assert response.status_code == 400
    assert "precision" in json.loads(await response.get_data())["error"]


async def test_durable_without_persistence(client: Any) -> None:
    assert (await client.post("/write?ack=durable", data=b"m f=1")).status_code == 409


async def test_a_recorder_that_is_full(client: Any, recorder: Any, backend: Backend) -> None:
    backend.record_mailbox.close()
    response = await client.post("/write", data=b"m f=1")
    assert response.status_code == 503
    assert response.headers["Retry-After"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_ping(client: Any, method: str) -> None:
    response = await client.open("/ping", method=method)
    assert response.status_code == 204
    assert response.headers["X-Influxdb-Version"].startswith("coachiq-analytics-")


async def test_the_catalogue_says_where_a_metric_comes_from(client: Any, recorder: Any) -> None:
    await client.post(PATHS[0], data=rf"a.b,t\ =x value=1 {STAMP}" + f"\nvoltage.x.y f=1 {STAMP}")
    entries = json.loads(await (await client.get("/api/analytics/metrics")).get_data())["metrics"]
    assert [(entry["name"], entry["source"]) for entry in entries] == [
        ("a.b{t =x}", {"measurement": "a.b", "field": "value", "tags": {"t ": "x"}}),
        ("voltage.x.y.f", {"measurement": "voltage.x.y", "field": "f", "tags": {}}),
    ]

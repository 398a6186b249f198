"""InfluxDB's own Python client writes through a server that asks for tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import trio

from actors.mailbox import Mailbox
from actors.messages import Pressure, Record, Recorded

influxdb_client = pytest.importorskip("influxdb_client")
from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: E402
from influxdb_client.rest import ApiException  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def write(house: Any, served: Any) -> Callable[..., Any]:
    """write(token, *records, gzip=..., precision=...) as a program would, in a thread of its own."""
    house.backend.record_mailbox = Mailbox("recorder", capacity=2, pressure=Pressure.BLOCK)

    def in_thread(token: str, records: Any, gzip: bool, precision: str) -> None:
        url = f"http://127.0.0.1:{served.port}"
        with influxdb_client.InfluxDBClient(url, token=token, org="coach", enable_gzip=gzip, timeout=5_000) as client:
            assert client.ping()
            client.write_api(write_options=SYNCHRONOUS).write("bucket", record=records, write_precision=precision)

    async def record(message: Record) -> None:
        await trio.lowlevel.checkpoint()
        memory = house.backend.memory
        seq = memory.last_seq + 1
        now_ms = house.backend.wall_ms()
        message.reply.set(Recorded(seq, tuple(memory.append(part, seq=seq, now_ms=now_ms) for part in message.parts)))

    async def run(token: str, records: Any, *, gzip: bool = False, precision: str = "ms") -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(house.backend.record_mailbox.run, record)
            with trio.fail_after(20):
                await trio.to_thread.run_sync(in_thread, token, records, gzip, precision)
            nursery.cancel_scope.cancel()

    return run


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("precision", ["ns", "us", "ms", "s"])
async def test_points(house: Any, write: Any, gzip: bool, precision: str) -> None:
    at = datetime.fromtimestamp(house.backend.wall_ms() // 1000 - 60, UTC)
    points = [
        influxdb_client.Point("tank").tag("name", "fresh water, front").field("level", 62.5).field("ok", True).time(at),
        influxdb_client.Point("generator").field("hours", 120).field("state", 'run "A"').time(at),
        {"measurement": "a b", "fields": {"c=d": 1.5}, "time": at},
        f"raw f=1 {int(at.timestamp()) * {'ns': 10**9, 'us': 10**6, 'ms': 1000, 's': 1}[precision]}",
    ]
    await write(house.token("ingest"), points, gzip=gzip, precision=precision)
    latest = {name: (each.time_ms, each.value) for name, each in house.backend.memory.latest().items()}
    at_ms = int(at.timestamp() * 1000)
    assert latest == {
        "tank.level{name=fresh water%2C front}": (at_ms, 62.5),
        "tank.ok{name=fresh water%2C front}": (at_ms, 1.0),
        "generator.hours": (at_ms, 120.0),
        "a b.c=d": (at_ms, 1.5),
        "raw.f": (at_ms, 1.0),
    }


async def test_its_exception_says_what_is_wrong(house: Any, write: Any) -> None:
    with pytest.RaisesGroup(
        pytest.RaisesExc(ApiException, check=lambda error: error.status == 400 and "partial write" in error.message)
    ):
        await write(house.token("ingest"), ["good f=1", "bad f="])
    assert house.backend.memory.names() == ["good.f"]
    with pytest.RaisesGroup(pytest.RaisesExc(ApiException, check=lambda error: error.status == 401)):
        await write("nonsense", ["good f=1"])
    with pytest.RaisesGroup(
        pytest.RaisesExc(ApiException, check=lambda error: error.status == 403 and "ingest" in error.message)
    ):
        await write(house.token("read"), ["good f=1"])

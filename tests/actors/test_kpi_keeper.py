"""The KPI keeper: values from memory, recorded as metrics, one's own in place of the shipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import trio

from actors.kpi_keeper import INTERVAL_S, KPI, KpiKeeper
from actors.mailbox import Mailbox
from actors.messages import Pressure, Record
from analytics.catalogue import Catalogue, MetricSpec
from analytics.kpi import KpiError
from analytics.local_time import UTC_TIME
from storage.control import ControlStore
from storage.control_documents import put_document
from storage.history import History
from storage.memory import MemoryTier
from storage.models import SeriesPart

NOW_MS = 20_000 * 86_400_000 + 12 * 3_600_000
CATALOGUE = Catalogue([MetricSpec(pattern="soc", role="soc", unit="%"), MetricSpec(pattern="load", unit="W")])
SHIPPED = (
    {"id": "drop", "name": "drop", "expression": 'first("role:soc", "1h") - last("role:soc", "1h")', "unit": "%"},
    {"id": "energy", "name": "energy", "expression": 'integral("load", "24h")'},
    {"id": "unknown", "name": "unknown", "expression": 'avg("nothing", "24h")'},
)


@dataclass
class House:
    store: ControlStore
    recorder: Mailbox
    memory: MemoryTier
    keeper: KpiKeeper

    async def recorded(self) -> dict[str, float]:
        found: dict[str, float] = {}

        async def take(message: Record) -> None:
            found.update({part.name: float(part.values[0]) for part in message.parts})

        await self.recorder.handle_next(take)
        return found


def keeper(store: ControlStore, recorder: Mailbox, memory: MemoryTier, shipped: object = SHIPPED) -> KpiKeeper:
    return KpiKeeper(
        shipped=shipped, store=store, history=History(memory, lambda: NOW_MS), catalogue=CATALOGUE, recorder=recorder,
        local_time=UTC_TIME, wall_ms=lambda: NOW_MS,
    )  # fmt: skip


@pytest.fixture
async def house(tmp_path) -> House:
    store, memory = ControlStore(tmp_path / "control.db"), MemoryTier(retention_ms=7_200_000)
    await store.open(False)
    recorder: Mailbox = Mailbox("recorder", capacity=1, pressure=Pressure.BLOCK)
    times = NOW_MS - np.arange(60, 0, -1, dtype=np.int64) * 60_000
    for name, values in (("soc", np.linspace(80, 60, 60)), ("load", np.full(60, 120.0))):
        memory.append(SeriesPart(name, times, values), seq=memory.last_seq + 1, now_ms=NOW_MS)
    yield House(store, recorder, memory, keeper(store, recorder, memory))
    await store.aclose()


async def test_worked_out_and_recorded(house) -> None:
    await house.keeper.work_out()
    assert house.keeper.values["drop"].value == pytest.approx(20)
    assert house.keeper.values["energy"].value == pytest.approx(120)
    assert house.keeper.values["unknown"].value is None
    assert await house.recorded() == pytest.approx({"kpi.drop": 20, "kpi.energy": 120})


async def test_ones_own_stands_in_place_of_the_shipped(house) -> None:
    body = {"name": "mine", "expression": 'last("role:soc", "1h")', "unit": "%"}
    await house.store.write(lambda c: put_document(c, KPI, "drop", body, expected="any", now_ms=1, limit=9))
    bad = {"name": "bad", "expression": 'last("role:gone", "1h")'}
    await house.store.write(lambda c: put_document(c, KPI, "bad", bad, expected="any", now_ms=1, limit=9))
    await house.keeper.work_out()
    assert house.keeper.values["drop"].value == pytest.approx(60)
    assert set(house.keeper.values) == {"drop", "energy", "unknown"}
    # What is recorded of it has the KPI's name and unit.
    assert (CATALOGUE.spec("kpi.drop").title, CATALOGUE.spec("kpi.drop").unit) == ("mine", "%")
    assert CATALOGUE.spec("kpi.energy").unit == "Wh"


async def test_a_busy_recorder_and_a_closed_store_stop_nothing(house) -> None:
    house.recorder.put_nowait(Record(()))
    await house.keeper.work_out()
    assert house.keeper.values["drop"].value is not None
    await house.store.aclose()
    await house.keeper.work_out()
    assert house.keeper.values["drop"].value is not None


def test_a_shipped_one_that_is_wrong_is_named(tmp_path) -> None:
    with pytest.raises(KpiError, match="broken"):
        keeper(None, None, MemoryTier(retention_ms=1), [{"id": "broken", "name": "n", "expression": "1"}])


async def test_every_few_minutes(house, nursery, monkeypatch) -> None:
    rounds: list[float] = []

    async def work_out() -> None:
        rounds.append(trio.current_time())
        await trio.lowlevel.checkpoint()

    monkeypatch.setattr(house.keeper, "work_out", work_out)
    monkeypatch.setattr("actors.kpi_keeper.INTERVAL_S", 0.01)
    monkeypatch.setattr("actors.kpi_keeper.FIRST_S", 0.0)
    await nursery.start(house.keeper.run)
    with trio.fail_after(5):
        while len(rounds) < 2:
            await trio.sleep(0.001)
    assert INTERVAL_S == 300

"""The generator is built with the service's own parts: what the service measures reaches the book."""

from __future__ import annotations

import numpy as np
import trio

from actors.messages import Sweep
from conf.loader import load_catalogue, load_flags, load_rules
from conf.settings import load_settings
from gateway.server import open_listening_socket
from gateway.service import Service, wall_ms
from storage.models import SeriesPart


async def test_the_sweep_of_a_built_service_finds_what_memory_holds() -> None:
    settings, _ = load_settings({})
    now_ms = wall_ms()
    with open_listening_socket("127.0.0.1", 0) as listener:
        service = Service(
            settings, load_flags(settings), catalogue=load_catalogue(), rules=load_rules(), listener=listener
        )
        times = now_ms - 1000 * np.arange(1200, dtype=np.int64)[::-1]
        part = SeriesPart("fridge.temperature", times, np.full(1200, 12.0))
        service.backend.memory.append(part, seq=1, now_ms=now_ms)
        async with trio.open_nursery() as nursery:
            await nursery.start(service.supervisor.run)
            message = Sweep()
            with trio.fail_after(20):
                await service.backend.insight_mailbox.put(message)
                found = await message.reply.wait()
            service.supervisor.shut_down()
    assert [insight.metric for insight in found] == ["fridge.temperature"]
    assert found[0].evidence["coverage"] > 0.99
    assert len(found[0].evidence["series"][0]["values"]) == 96

"""The app around a backend of real parts, with a stand-in recorder, and a client that checks every answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import trio
from quart import Response, request
from quart.testing import QuartClient
from quart_trio import QuartTrio

from actors import action_dispatcher
from actors.messages import Record, Recorded
from actors.steward import Steward
from analytics.catalogue_text import parse_catalogue
from analytics.records import Action, Insight
from conf.settings import Settings
from gateway.app import ROUTES, create_app
from gateway.backend import Backend
from gateway.core_rest import CoreRest
from storage.memory import MemoryTier
from storage.models import SeriesPart
from tests.fakes.backend import make_backend
from tests.fakes.misbehaving_core import MisbehavingCore

NOW_MS = 1_760_000_000_000

CATALOGUE = {
    "metrics": [
        {"pattern": "battery.*.voltage", "unit": "V", "title": "House battery", "warn": [12.0, 14.8]},
        {"pattern": "tank.fresh.level", "unit": "%", "role": "tank_supply", "warn": [15, None]},
        {"pattern": "tank.grey.*", "unit": "%", "plausible": [0, 100], "warn": [None, 85]},
        {"pattern": "light.*", "kind": "state"},
        {"pattern": "*run_hours", "kind": "counter", "unit": "h"},
    ]
}


class Recorder:
    """Stands in for the recorder: appends and answers. `hold()` makes it stop taking messages."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._open = trio.Event()
        self._open.set()
        self.messages: list[Record] = []
        self.error: Exception | None = None

    def hold(self) -> None:
        self._open = trio.Event()

    def go_on(self) -> None:
        self._open.set()

    async def run(self) -> None:
        await self._backend.record_mailbox.run(self._record)

    async def _record(self, message: Record) -> None:
        await self._open.wait()
        if self.error is not None:
            message.reply.fail(self.error)
            return
        memory = self._backend.memory
        seq = memory.last_seq + 1
        parts = tuple(memory.append(part, seq=seq, now_ms=self._backend.wall_ms()) for part in message.parts)
        self.messages.append(message)
        message.reply.set(Recorded(seq, parts))


@pytest.fixture
def now_ms() -> int:
    return NOW_MS


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    memory = MemoryTier(retention_ms=7_200_000, max_series=50)

    def wall_ms() -> int:
        return NOW_MS

    flags = {
        "analytics_dashboard": {"enabled": True},
        "analytics_dashboard_enhanced": {"enabled": True, "depends_on": ["analytics_dashboard"]},
        "persistence": {"enabled": False, "description": "Keeps samples on disk."},
    }
    return make_backend(
        wall_ms,
        flags,
        settings=replace(Settings(), db_path=tmp_path / "analytics.db"),
        catalogue=parse_catalogue(CATALOGUE),
        memory=memory,
        ready=True,
    )


@pytest.fixture
def app(backend: Backend) -> Iterator[QuartTrio]:
    """Every answer of a described route must be one the description knows, and look as it says."""
    app = create_app(backend)
    described = {(route.path, route.method): route for route in ROUTES if route.described}
    wrong: list[str] = []

    @app.after_request
    async def hold_against_the_description(response: Response) -> Response:
        route = described.get((request.url_rule.rule if request.url_rule else "", request.method))
        if route is None:
            return response
        where = f"{request.method} {request.full_path} -> {response.status_code}"
        answer = route.answers().get(response.status_code)
        if answer is None:
            wrong.append(f"{where}: not described")
        elif answer.model is not None and response.mimetype == answer.media_type:
            body = await response.get_data()
            try:
                json.loads(body, parse_constant=_refuse)
                answer.model.model_validate_json(body)
            except ValueError as error:
                wrong.append(f"{where}: {error}")
        elif answer.media_type and response.mimetype not in (answer.media_type, *answer.also):
            wrong.append(f"{where}: {response.mimetype}")
        return response

    yield app
    assert not wrong


def _refuse(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is no JSON")


@pytest.fixture
async def client(app: QuartTrio, steward: Steward) -> QuartClient:
    """Of an app whose control store is open."""
    return app.test_client()


@pytest.fixture
async def recorder(backend: Backend) -> AsyncIterator[Recorder]:
    """A running one."""
    recorder = Recorder(backend)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recorder.run)
        yield recorder
        nursery.cancel_scope.cancel()


@pytest.fixture
async def steward(backend: Backend) -> AsyncIterator[Steward]:
    """A running one: the control store is open."""
    steward = backend.control.steward
    async with trio.open_nursery() as nursery:
        await nursery.start(steward.run)
        yield steward
        steward.close()


@pytest.fixture
def fill(backend: Backend) -> Callable[..., None]:
    """fill(name, values, step_ms=...): samples that end now."""

    def fill(name: str, values: Any, *, step_ms: int = 1_000, end_ms: int = NOW_MS) -> None:
        values = np.asarray(values, dtype=np.float64)
        times = end_ms - step_ms * np.arange(len(values) - 1, -1, -1, dtype=np.int64)
        memory = backend.memory
        memory.append(SeriesPart(name, times, values), seq=memory.last_seq + 1, now_ms=NOW_MS)

    return fill


@pytest.fixture
def insight() -> Callable[..., Insight]:
    """A valid insight; members by keyword."""

    def make(key: str = "limit:fridge.temperature", **members: Any) -> Insight:
        return Insight(
            **{
                "insight_id": f"id-{key}",
                "key": key,
                "title": "Refrigerator is too warm",
                "description": "It is 9.4 °C.",
                "category": "reliability",
                "severity": "high",
                "confidence": 0.9,
                "impact_score": 0.8,
                "created_at_ms": NOW_MS - 1_000,
                "updated_at_ms": NOW_MS - 500,
                "expires_at_ms": None,
                "recommendations": ("Close the door.",),
                "evidence": {"kind": "limit", "value": 9.4},
                "metric": "fridge.temperature",
                **members,
            }
        )

    return make


def advice(template: str, role: str) -> Action:
    return Action("Switch it off", "switch_off", "Stops it", "high", template=template, entity_role=role)


@pytest.fixture
async def core(
    backend: Backend,
    steward: Any,
    nursery: trio.Nursery,
    insight: Callable[..., Insight],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[MisbehavingCore]:
    """A core, and an insight that advises a green and an amber action, and a red one."""
    monkeypatch.setattr(action_dispatcher, "UNDO_S", 0.0)
    core = MisbehavingCore(
        states={"light_1": True, "water_pump": True, "propane_valve": True}, kinds={"water_pump": "pump"}
    )
    await nursery.start(core.run)
    backend.control.actions._core = CoreRest(core.url)
    await nursery.start(backend.control.actions.run)
    actions = (advice("switch_off", "light"), advice("switch_off", "pump"), advice("switch_off", "propane"))
    backend.book.upsert_insight(insight("leak", insight_id="leak", actions=actions))
    yield core
    nursery.cancel_scope.cancel()

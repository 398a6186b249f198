"""kill -9 just before and just after every entry of the action journal: no effect twice, none unknown for ever."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from actors import action_dispatcher
from actors.action_dispatcher import ActionDispatcher
from actors.hub import Hub
from gateway.core_rest import CoreRest
from storage.control import ControlStore
from storage.control_actions import find_by_key, latest_actions, verify
from tests.fakes.misbehaving_core import MisbehavingCore

pytestmark = pytest.mark.system

PRESS = """
import os, signal, sys
import trio
from pathlib import Path
from actors import action_dispatcher
from actors.action_dispatcher import ActionDispatcher
from actors.core import Entity
from actors.hub import Hub
from actors.recommendations import Recommendation
from analytics.action_risk import TEMPLATES
from analytics.records import Insight
from gateway.core_rest import CoreRest
from storage import control_actions
from storage.control import ControlStore

folder, url, phase, when = sys.argv[1:]
action_dispatcher.UNDO_S = 0.0
append = control_actions.append_entry

def dying(connection, action_id, to, at_ms, body):
    append(connection, action_id, to, at_ms, body)
    if to == phase and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)

control_actions.append_entry = dying
insight = Insight(insight_id="i", key="k", title="t", description="d", category="cost", severity="low", confidence=0.5,
    impact_score=0.5, created_at_ms=1, updated_at_ms=1, expires_at_ms=None, recommendations=())
chosen = Recommendation("i.0.light_1", insight, "t", TEMPLATES["switch_off"], Entity("light_1", "light", "light"),
    "green", "off")

class DyingHub(Hub):
    def publish(self, topic, data, *, key=None):
        if data["state"] == phase and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = ControlStore(Path(folder) / "control.db")
    await store.open(True)
    dispatcher = ActionDispatcher(store=store, core=CoreRest(url), hub=DyingHub(lambda: 1), wall_ms=lambda: 1)
    async with trio.open_nursery() as nursery:
        await nursery.start(dispatcher.run)
        await dispatcher.propose(chosen, owner="local", key="key-00001", confirmed=True)
        await trio.sleep(20)

trio.run(main)
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("phase", ["proposed", "confirmed", "sending", "succeeded", "unknown", "reconciled"])
async def test_killed_at(tmp_path: Path, phase: str, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action_dispatcher, "RECONCILE_S", (0.0,))
    how = "timeout" if phase in ("unknown", "reconciled") else "sound"
    core = MisbehavingCore(misbehave=lambda: how, states={"light_1": True})
    async with trio.open_nursery() as nursery:
        await nursery.start(core.run)
        command = [sys.executable, "-c", PRESS, str(tmp_path), core.url, phase, when]
        with trio.fail_after(30):
            ended = await trio.run_process(command, check=False, capture_stderr=True, stdout=subprocess.DEVNULL)
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
        sent = len(core.received)
        store = ControlStore(tmp_path / "control.db")
        await store.open(True)
        dispatcher = ActionDispatcher(store=store, core=CoreRest(core.url), hub=Hub(lambda: 1), wall_ms=lambda: 1)
        await nursery.start(dispatcher.run)
        with trio.fail_after(10):
            while True:
                found = await store.read(lambda c: latest_actions(c, 10))
                if all(each.is_over for each in found):
                    break
                await trio.sleep(0.01)
        assert len(core.received) == sent <= 1
        assert (await store.read(verify)).broken_at is None
        known = await store.read(lambda c: find_by_key(c, "local", "key-00001"))
        if sent:
            assert known is not None  # the journal knew before a byte left
            assert known.phase in ("succeeded", "reconciled")
        await store.aclose()
        nursery.cancel_scope.cancel()

"""The dead-man switch."""

from __future__ import annotations

import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import trio
import trio.testing

from actors.watchdog import Watchdog


class Switch:
    """Stands in for faulthandler, which would end the test run."""

    def __init__(self) -> None:
        self.armed: list[tuple[float, float]] = []
        self.is_armed = False

    def arm(self, limit_s: float) -> None:
        self.armed.append((trio.current_time(), limit_s))
        self.is_armed = True

    def disarm(self) -> None:
        self.is_armed = False


async def test_it_arms_again_while_the_loop_turns_and_disarms_at_the_end(
    autojump_clock: trio.testing.MockClock,
) -> None:
    switch = Switch()
    watchdog = Watchdog(limit_s=8, environ={}, arm=switch.arm, disarm=switch.disarm)
    async with trio.open_nursery() as nursery:
        await nursery.start(watchdog.run)
        assert switch.is_armed
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    assert not switch.is_armed
    times = [at for at, _ in switch.armed]
    assert max(later - earlier for earlier, later in pairwise(times)) <= 2
    assert {limit_s for _, limit_s in switch.armed} == {8}


async def test_it_feeds_systemd(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    switch, address = Switch(), tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.setblocking(False)
        environ = {"NOTIFY_SOCKET": str(address)}
        watchdog = Watchdog(limit_s=8, environ=environ, arm=switch.arm, disarm=switch.disarm)
        async with trio.open_nursery() as nursery:
            await nursery.start(watchdog.run)
            watchdog.ready()
            await trio.sleep(3)
            watchdog.stopping()
            nursery.cancel_scope.cancel()
        heard = []
        while True:
            try:
                heard.append(systemd.recv(100).decode())
            except BlockingIOError:
                break
    assert heard.count("WATCHDOG=1") >= 2
    assert [line for line in heard if line != "WATCHDOG=1"] == ["READY=1", "STOPPING=1"]


def test_an_abstract_socket_is_understood() -> None:
    name = f"coachiq-analytics-test-{id(object())}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name)
        systemd.settimeout(5)
        Watchdog(environ={"NOTIFY_SOCKET": "@" + name}).ready()
        assert systemd.recv(100) == b"READY=1"


def test_nobody_who_listens_is_no_trouble(tmp_path: Path) -> None:
    Watchdog(environ={}).ready()
    Watchdog(environ={"NOTIFY_SOCKET": str(tmp_path / "nowhere")}).ready()


def test_a_blocked_loop_ends_the_process_with_every_stack_on_stderr() -> None:
    """The real switch, in a process of its own."""
    program = """
import time, trio
from actors.watchdog import Watchdog

def block_the_loop():
    time.sleep(60)

async def main():
    async with trio.open_nursery() as nursery:
        await nursery.start(Watchdog(limit_s=0.2, environ={}).run)
        block_the_loop()

trio.run(main)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "block_the_loop" in done.stderr

"""The dead-man switch: when the event loop stops turning, the process ends and systemd starts it anew.

A task re-arms `faulthandler.dump_traceback_later(exit=True)`: a loop that is blocked for `limit_s` ends in
the stacks of all threads on stderr and exit status 1, from a thread that needs neither the loop nor the
interpreter lock. The same task feeds systemd's watchdog (sd_notify(3): datagrams to the socket named by
NOTIFY_SOCKET).
"""

from __future__ import annotations

import faulthandler
import os
import socket
from collections.abc import Callable, Mapping
from typing import Final

import trio

REARMS_PER_LIMIT: Final = 4


def _arm(limit_s: float) -> None:
    faulthandler.dump_traceback_later(limit_s, exit=True)


class Watchdog:
    """`run` has a child's signature. It belongs first among the children: started first, stopped last."""

    def __init__(
        self,
        *,
        limit_s: float = 30.0,
        environ: Mapping[str, str] = os.environ,
        arm: Callable[[float], None] = _arm,
        disarm: Callable[[], None] = faulthandler.cancel_dump_traceback_later,
    ) -> None:
        self._limit_s = limit_s
        self._address = environ.get("NOTIFY_SOCKET")
        self._arm = arm
        self._disarm = disarm

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        try:
            self._arm(self._limit_s)
            task_status.started()
            while True:
                self._arm(self._limit_s)
                self._notify("WATCHDOG=1")
                await trio.sleep(self._limit_s / REARMS_PER_LIMIT)
        finally:
            self._disarm()

    def ready(self) -> None:
        """Tell systemd that the service is up (Type=notify)."""
        self._notify("READY=1")

    def stopping(self) -> None:
        self._notify("STOPPING=1")

    def _notify(self, state: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address  # abstract socket
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.setblocking(False)
            try:
                channel.sendto(state.encode(), address)
            except OSError:
                return  # nobody listens, or its buffer is full: systemd decides by what it misses

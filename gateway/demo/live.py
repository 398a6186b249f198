"""The live coach: sends what the simulated coach measures to a running service, over HTTP like a real core.

Owns the clock of the simulation. At speed 1 the coach lives in real time. At speed X a minute of its life
takes 1/X of a minute, and its samples are stamped with the wall clock at which they are sent, since the
service refuses samples from the future: the day in its charts is then compressed. Cadences stay those of real
time, so that a fast coach is no flood.

`run` has a child's signature. Promises: no sample twice and none left out across its restarts; trouble with
the service is waited out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import msgspec
import trio

from storage.models import SeriesPart

from ..client import HttpClient
from ..sender import Account, GaveUpError, deliver
from .coach import DAY_MS, MINUTE_MS, Coach
from .samples import live_parts
from .signals import SIGNALS

LOG: Final = logging.getLogger(__name__)
INTERVAL_S: Final = 0.2
SOURCE: Final = "simulated coach"
_UNITS: Final = {signal.name: signal.unit for signal in SIGNALS}


class LiveCoach:
    """Feeds the service at `url` with `coach`, beginning where the coach stands."""

    def __init__(
        self,
        coach: Coach,
        url: str,
        *,
        speed: float = 1.0,
        wall_ms: Callable[[], int],
        token: str | None = None,
    ) -> None:
        self._token = token
        self._coach = coach
        self._url = url
        self._speed = speed
        self._wall_ms = wall_ms
        self._begin_ms = self._sent_ms = coach.now_ms  # of the coach's time
        self._wall_seen_ms = self._begin_ms
        self._lived_ms = 0.0  # since _begin_ms, of the coach's time
        self._stretch = coach.run(self._sent_ms + MINUTE_MS)
        self._introduced: set[str] = set()  # metrics whose unit has been sent
        self.account = Account()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with HttpClient(self._url, self._token) as client:
            task_status.started()
            while True:
                await self.catch_up(client)
                await trio.sleep(INTERVAL_S)

    async def catch_up(self, client: HttpClient) -> None:
        """Send everything up to now."""
        until_ms = self._now_ms()
        while self._sent_ms < until_ms:
            end_ms = min(until_ms, int(self._stretch.times[-1]))
            parts = live_parts(self._stretch, self._sent_ms, end_ms, pace=max(1.0, self._speed))
            if parts:
                await self._send(client, parts)
            self._sent_ms = end_ms
            if end_ms == self._stretch.times[-1]:
                self._stretch = self._coach.run(end_ms + MINUTE_MS)
        await trio.lowlevel.checkpoint()

    def _now_ms(self) -> int:
        """The coach's time. A clock that is set back stands still for it; one that leaps costs it a day at
        most."""
        wall_ms = self._wall_ms()
        self._lived_ms += min(max(wall_ms - self._wall_seen_ms, 0), DAY_MS) * self._speed
        self._wall_seen_ms = wall_ms
        return self._begin_ms + int(self._lived_ms)

    async def _send(self, client: HttpClient, parts: list[SeriesPart]) -> None:
        series = []
        for part in parts:
            stamps = self._begin_ms + (part.times - self._begin_ms) / self._speed
            item = {
                "metric_name": part.name,
                "timestamps": (stamps.round() / 1000).tolist(),
                "values": part.values.tolist(),
            }
            if part.name not in self._introduced:
                item["metadata"] = {"unit": _UNITS[part.name], "source": SOURCE}
            series.append(item)
        body, samples = msgspec.json.encode({"series": series}), sum(map(len, parts))
        try:
            await deliver(client, body, samples, self.account, patience_s=float("inf"))
        except GaveUpError as error:  # refused as such, say while the dashboard is switched off: this batch is lost
            LOG.warning("live samples of the simulated coach were refused: %s", error)
            await trio.sleep(1)
        else:
            self._introduced.update(part.name for part in parts)

"""The effect meter: some minutes after an action it looks at what the metric did, says so, and keeps the score.

"Fan on 14:02, Refrigerator temperature -3.0 °C in 12 min". It helped when the insight that advised it is over, or the
metric moved to the better side by more than it had trembled before. Its state is the journal: after a restart it goes
on with what is not measured yet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import trio

from analytics.action_risk import TEMPLATES
from analytics.action_state import Action
from analytics.catalogue import Catalogue
from analytics.local_time import LocalTime
from analytics.robust import mad_sigma, median
from analytics.words import difference, duration
from storage.archive import ArchiveError
from storage.control import ControlStore
from storage.control_actions import latest_actions, note_effect
from storage.history import History
from storage.insight_book import InsightBook
from storage.insight_marks import InsightMarks
from storage.models import Values

from .frames import action_frame, marked_frame
from .hub import Hub

LOG: Final = logging.getLogger(__name__)
AFTER_MS: Final = 12 * 60_000  # when it is measured
BEFORE_MS: Final = 10 * 60_000  # the level before is that of so long
SETTLED_MS: Final = 2 * 60_000  # the level after is that of the last minutes
STALE_MS: Final = 3_600_000  # what was done longer ago is not measured any more
LOOK_BACK: Final = 200  # actions that are looked through after a start
STORE_RETRY_S: Final = 5.0


class EffectMeter:
    """`run` has a child's signature."""

    def __init__(
        self,
        *,
        store: ControlStore,
        history: History,
        book: InsightBook,
        marks: InsightMarks,
        hub: Hub,
        catalogue: Catalogue,
        local_time: LocalTime,
        wall_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._history = history
        self._book = book
        self._marks = marks
        self._hub = hub
        self._catalogue = catalogue
        self._local_time = local_time
        self._wall_ms = wall_ms
        self._send, self._receive = trio.open_memory_channel[Action](256)
        self._followed: set[str] = set()

    def note(self, action: Action) -> None:
        """It succeeded just now."""
        self._send.send_nowait(action)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        async with trio.open_nursery() as nursery:
            for action in await self._left():
                nursery.start_soon(self._follow, action)
            while True:
                nursery.start_soon(self._follow, await self._receive.receive())

    async def _left(self) -> list[Action]:
        """What was not measured before the process began, as soon as the journal can be read."""
        while True:
            found = await self._unmeasured()
            if found is not None:
                return found
            await trio.sleep(STORE_RETRY_S)

    async def _unmeasured(self) -> list[Action] | None:
        """None: the journal can't be read now."""
        try:
            found = await self._store.read(lambda connection: latest_actions(connection, LOOK_BACK))
        except ArchiveError as error:
            LOG.warning("the action journal can't be read: %s", error.reason)
            return None
        for action in reversed(found):
            if action.facts.get("effect"):
                self._marks.note_effect(action.insight_id, action.facts["effect"])
        return [each for each in found if was_done(each) and "effect" not in each.facts]

    async def _follow(self, action: Action) -> None:
        age_ms = self._wall_ms() - action.changed_ms
        if not 0 <= age_ms <= STALE_MS:
            return
        if action.action_id in self._followed:
            return  # told of, and found in a journal that could be read late
        self._followed.add(action.action_id)
        try:
            await trio.sleep(max(0, AFTER_MS - age_ms) / 1000)
            await self.measure(action)
        except ArchiveError as error:
            LOG.warning("the effect of action %s can't be stored: %s", action.action_id, error.reason)
        finally:
            self._followed.discard(action.action_id)

    async def measure(self, action: Action) -> Action:
        """Now. Raises ArchiveError."""
        facts = await self._facts(action)
        now_ms = self._wall_ms()
        noted = await self._store.write(lambda connection: note_effect(connection, action.action_id, now_ms, facts))
        self._marks.note_effect(action.insight_id, facts["effect"])
        self._hub.publish("action", action_frame(noted), key=noted.action_id)
        insight = self._marks.find(action.insight_id)
        if insight is not None:
            self._hub.publish("insight_update", marked_frame(insight, self._marks, now_ms))
        return noted

    async def _facts(self, action: Action) -> dict[str, Any]:
        name = action.entity_name
        done = TEMPLATES[action.template].done.format(name=name)
        said = f"{done} {self._local_time.time_of_day(action.changed_ms)}"
        insight = self._marks.find(action.insight_id)
        over = insight is None or insight.status == "resolved"
        if action.metric is None:
            return {"effect": said, "helped": over}
        start_ms, now_ms = action.changed_ms - BEFORE_MS, self._wall_ms()
        window = (await self._history.window([action.metric], start_ms, now_ms + 1)).windows.get(action.metric)
        if window is None:
            return {"effect": f"{said}; nothing was measured since", "helped": over}
        before = window.values[window.times <= action.changed_ms]
        since = window.times > action.changed_ms
        settled = since & (window.times > now_ms - SETTLED_MS)
        # What sends only when it changes may be silent by now: its last value stands.
        after = window.values[settled] if settled.any() else window.values[since][-1:]
        if not len(before) or not len(after):
            return {"effect": f"{said}; too little was measured to tell", "helped": over}
        change = median(after) - median(before)
        spec = self._catalogue.spec(action.metric)
        shown = difference(change, spec.unit)
        sign = "" if shown.startswith("-") else "+"
        span = duration(now_ms - action.changed_ms)
        direction = None if insight is None else insight.evidence.get("direction")
        return {
            "effect": f"{said}, {spec.title or action.metric} {sign}{shown} in {span}",
            "change": float(np.round(change, 6)),
            "helped": over or is_better(change, direction, before),
        }


def was_done(action: Action) -> bool:
    return action.phase == "succeeded" or (action.phase == "reconciled" and action.facts.get("effect_seen") is True)


def is_better(change: float, direction: object, before: Values) -> bool:
    """Whether the metric moved away from where it was too far, by more than it trembled before."""
    noise = mad_sigma(before) if len(before) > 1 else 0.0
    if direction == "above":
        return change < -noise
    return change > noise if direction == "below" else False

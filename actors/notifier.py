"""The notifier: decides who hears about what, and tells them.

At this depth everybody hears everything: the hub (and so every dashboard) and the log. Channels (e-mail, push) join
by implementing `Channel` and being handed to the constructor; a channel that fails is logged and does not hold up
the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol, assert_never

import trio

from analytics.records import Insight, Pattern
from storage.insight_marks import InsightMarks

from .frames import alert_frame, marked_frame, pattern_frame
from .hub import Hub
from .mailbox import Mailbox
from .messages import AlertChanged, InsightChanged, NotifierMessage, PatternFound, StatusChanged

LOG: Final = logging.getLogger(__name__)


class Channel(Protocol):
    """One way of telling people. Raises whatever it likes; deadlines are the caller's."""

    @property
    def name(self) -> str: ...

    async def tell(self, insight: Insight, *, is_new: bool) -> None: ...


class Notifier:
    """One actor; `run` has a child's signature. It keeps no state of its own, so a restart loses none."""

    def __init__(
        self,
        *,
        mailbox: Mailbox[NotifierMessage],
        hub: Hub,
        marks: InsightMarks,
        wall_ms: Callable[[], int],
        channels: Sequence[Channel] = (),
    ) -> None:
        self._mailbox = mailbox
        self._marks = marks
        self._wall_ms = wall_ms
        self._hub = hub
        self._channels = tuple(channels)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await self._mailbox.run(self._handle)

    async def _handle(self, message: NotifierMessage) -> None:
        match message:
            case InsightChanged(insight, is_new):
                await self._insight(insight, is_new)
            case PatternFound(pattern):
                self._pattern(pattern)
            case StatusChanged(part, state, reason):
                level = logging.WARNING if state == "degraded" else logging.INFO
                LOG.log(level, "%s is %s%s", part, state, f": {reason}" if reason else "")
                self._hub.publish("status", {"part": part, "state": state, "reason": reason})
            case AlertChanged(event):
                level = logging.WARNING if event.after.active else logging.INFO
                LOG.log(level, "threshold %s at %s is %s", event.threshold.name, event.metric, event.after.phase)
            case _:
                assert_never(message)

    async def _insight(self, insight: Insight, is_new: bool) -> None:
        if is_new or insight.status != "new":  # that it still holds, and for how long by now, is no news
            level = logging.WARNING if insight.severity in ("high", "critical") else logging.INFO
            LOG.log(level, "insight %s [%s] %s", insight.status, insight.severity, insight.title)
        now_ms = self._wall_ms()
        frame = marked_frame(insight, self._marks, now_ms)
        self._hub.publish("insight" if is_new else "insight_update", frame)
        if not self._marks.wants_telling(insight, now_ms):
            return
        if is_new and insight.severity in ("high", "critical"):
            self._hub.publish("alert", alert_frame(insight))
        for channel in self._channels:
            try:
                await channel.tell(insight, is_new=is_new)
            except Exception:  # one channel's trouble is nobody else's; the log is where people look for it
                LOG.exception("channel %s could not tell of %s", channel.name, insight.insight_id)

    def _pattern(self, pattern: Pattern) -> None:
        LOG.info("pattern %s of %s: %s", pattern.pattern_type, pattern.metric, pattern.description)
        self._hub.publish("pattern", pattern_frame(pattern))

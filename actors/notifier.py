"""The notifier: tells what happened. Dashboards (by the hub) and the log hear everything; the courier hears what a
person may have to be sent, unless that person has put it out of the way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, assert_never

import trio

from analytics.notices import Notice
from analytics.records import Insight, Pattern
from analytics.threshold import AlertEvent
from storage.insight_marks import InsightMarks

from .alarms import Alarms, notice_key
from .frames import alert_frame, marked_frame, pattern_frame
from .hub import Hub
from .mailbox import Mailbox
from .messages import AlertChanged, InsightChanged, NotifierMessage, PatternFound, StatusChanged

LOG: Final = logging.getLogger(__name__)


class Notifier:
    """One actor; `run` has a child's signature. It keeps no state of its own, so a restart loses none."""

    def __init__(
        self,
        *,
        mailbox: Mailbox[NotifierMessage],
        hub: Hub,
        marks: InsightMarks,
        wall_ms: Callable[[], int],
        alarms: Alarms,
        tell: Callable[[Notice], None],
    ) -> None:
        self._mailbox = mailbox
        self._marks = marks
        self._wall_ms = wall_ms
        self._hub = hub
        self._alarms = alarms
        self._tell = tell

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await self._mailbox.run(self._handle)

    async def _handle(self, message: NotifierMessage) -> None:
        match message:
            case InsightChanged(insight, is_new, is_news):
                await self._insight(insight, is_new, is_news)
            case PatternFound(pattern):
                self._pattern(pattern)
            case StatusChanged(part, state, reason):
                level = logging.WARNING if state == "degraded" else logging.INFO
                LOG.log(level, "%s is %s%s", part, state, f": {reason}" if reason else "")
                self._hub.publish("status", {"part": part, "state": state, "reason": reason})
            case AlertChanged(event):
                level = logging.WARNING if event.after.active else logging.INFO
                LOG.log(level, "threshold %s at %s is %s", event.threshold.name, event.metric, event.after.phase)
                self._tell(self._alarm(event))
            case _:
                assert_never(message)

    async def _insight(self, insight: Insight, is_new: bool, is_news: bool) -> None:
        if is_new or insight.status != "new":  # that it still holds, and for how long by now, is no news
            level = logging.WARNING if insight.severity in ("high", "critical") else logging.INFO
            LOG.log(level, "insight %s [%s] %s", insight.status, insight.severity, insight.title)
        now_ms = self._wall_ms()
        frame = marked_frame(insight, self._marks, now_ms)
        self._hub.publish("insight" if is_new else "insight_update", frame)
        put_away = not self._marks.wants_telling(insight, now_ms)
        is_news = is_news and not put_away
        if is_news and insight.severity in ("high", "critical"):
            self._hub.publish("alert", alert_frame(insight))
        if is_news or insight.status == "resolved":
            self._tell(
                Notice(
                    insight.key,
                    insight.title,
                    insight.description,
                    insight.severity,
                    insight.category,
                    firing=insight.status != "resolved",
                    at_ms=insight.updated_at_ms,
                    silent=put_away,
                )
            )

    def _alarm(self, event: AlertEvent) -> Notice:
        threshold, words = event.threshold, self._alarms.words(event)
        key = notice_key(threshold.threshold_id, event.metric)
        return Notice(
            key, words, f"{threshold.name}: {words}.", threshold.severity, threshold.category,
            firing=event.after.active, at_ms=event.at_ms,
        )  # fmt: skip

    def _pattern(self, pattern: Pattern) -> None:
        LOG.info("pattern %s of %s: %s", pattern.pattern_type, pattern.metric, pattern.description)
        self._hub.publish("pattern", pattern_frame(pattern))

"""The courier: notices to messages by each user's wishes, and messages out through their channels until they arrive.

Its state is in the control store: what is being gathered, what was told, and the outbox, written together. Promises
- a message is in the outbox before anything is sent, and stays until it arrived or can never arrive;
- trouble is waited out: 1 s, doubled up to 15 minutes, or as long as the other side says (Retry-After);
- a channel that comes back after an outage gets one message about everything that waited, not a flood, and not in quiet
  hours;
- a channel is sent no more than one message in FLOOR_S (critical: FLOOR_CRITICAL_S), whatever happens.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import trio

from analytics.local_time import LocalTime
from analytics.notices import (
    FOREVER_MS,
    LATE_MS,
    RANK,
    ChannelWish,
    Grouping,
    Notice,
    Standing,
    Wishes,
    composed,
    quiet_until,
    wishes_from,
)
from storage.archive import ArchiveError
from storage.control import ControlStore
from storage.control_documents import documents_of_kind
from storage.control_outbox import Message, load_groupings, postpone, save_groupings, settle, waiting

LOG: Final = logging.getLogger(__name__)
PREFERENCES: Final = "preferences"
GATHER_S: Final = 0.05
LOOK_S: Final = 60.0  # at the latest, wishes and waiting messages are looked through
FIRST_RETRY_MS: Final = 1_000
LAST_RETRY_MS: Final = 900_000
FLOOR_S: Final = 30.0
FLOOR_CRITICAL_S: Final = 1.0
WITHIN_S: Final = 60.0  # one sending
KEEP_MS: Final = 7 * 86_400_000  # what can't be sent for so long never is,
KEEP_TRIES: Final = 20  # if it was tried so often: hours, whatever the clock was set to meanwhile
MERGED_NOTICES: Final = 200


class DeliveryError(Exception):
    """It did not arrive. `permanent`: it never will; `retry_after_s`: how long the other side wants its peace."""

    def __init__(self, message: str, *, permanent: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_s = retry_after_s


class Channels(Protocol):
    """How messages leave. The gateway has an implementation."""

    async def send(self, channel: ChannelWish, message_id: str, body: Mapping[str, Any]) -> None:
        """Raises DeliveryError."""
        ...


class Courier:
    """`run` has a child's signature; `hear` is for the notifier, `send_test` for the gateway."""

    def __init__(
        self,
        *,
        store: ControlStore,
        channels: Channels,
        local_time: LocalTime,
        wall_ms: Callable[[], int],
        standing: Callable[[], Standing],
    ) -> None:
        self._store = store
        self._standing = standing
        self._channels = channels
        self._local_time = local_time
        self._wall_ms = wall_ms
        self._heard: list[Notice] = []
        self._wake = trio.Event()
        self._groupings: dict[str, Grouping] | None = None
        self._sent_s: dict[tuple[str, str], float] = {}
        self._sending: set[tuple[str, str]] = set()

    def hear(self, notice: Notice) -> None:
        """Something a person may want to know."""
        self._heard.append(notice)
        self._wake.set()

    def look(self) -> None:
        """Wishes have changed."""
        self._wake.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        async with trio.open_nursery() as nursery:
            while True:
                next_ms = self._wall_ms() + round(LOOK_S * 1000)
                try:
                    next_ms = min(next_ms, await self._gather(), await self._deliver(nursery))
                except ArchiveError as error:
                    LOG.warning("notices wait, for the control store is in trouble: %s", error.reason)
                    next_ms = self._wall_ms() + 5_000
                pause_s = min(max((next_ms - self._wall_ms()) / 1000, 0.01), LOOK_S)
                with trio.move_on_after(pause_s):
                    await self._wake.wait()
                    await trio.sleep(GATHER_S)
                self._wake = trio.Event()

    async def send_test(self, channel: ChannelWish) -> None:
        """Now, past outbox and wishes. Raises DeliveryError."""
        body = {
            "title": "Test message", "text": "CoachIQ Analytics can reach you here.", "severity": "low", "count": 0,
            "notices": [], "sent_at": self._wall_ms() / 1000,
        }  # fmt: skip
        await self._channels.send(channel, f"test-{secrets.token_hex(6)}", body)

    async def _wishes(self) -> dict[str, tuple[Wishes, LocalTime]]:
        found = {}
        for owner, each in await self._store.read(lambda connection: documents_of_kind(connection, PREFERENCES)):
            zone = each.body.get("time_zone")
            local = self._local_time if zone is None else LocalTime(ZoneInfo(zone))
            found[owner] = (wishes_from(each.body["notifications"]), local)
        return found

    async def _gather(self) -> int:
        """What was heard to the outbox, as far as it is time. Returns when to look again."""
        heard = list(self._heard)
        wishes = await self._wishes()
        if self._groupings is None:
            self._groupings = await self._store.read(load_groupings)
        if not wishes:
            del self._heard[: len(heard)]
            return FOREVER_MS
        now_ms, next_ms, standing = self._wall_ms(), FOREVER_MS, self._standing()
        messages: list[Message] = []
        changed: dict[str, Grouping] = {}
        for owner, (wish, local) in wishes.items():
            grouping = deepcopy(self._groupings.get(owner)) or Grouping()  # a write that fails must change nothing
            for notice in heard:
                grouping.hear(notice, now_ms)
            ready = grouping.take(now_ms, wish, local, standing)
            if wish.enabled:
                messages += _messages(owner, wish, ready, now_ms, local)
            if heard or ready or grouping != self._groupings.get(owner):
                changed[owner] = grouping
            next_ms = min(next_ms, grouping.due_ms(now_ms, wish, local, standing))
        if changed:
            await self._store.write(lambda connection: save_groupings(connection, changed, messages))
            self._groupings.update(changed)
        del self._heard[: len(heard)]
        return next_ms

    async def _deliver(self, nursery: trio.Nursery) -> int:
        """Start sending what is due, one message at a time per channel. Returns when to look again."""
        now_ms, now_s, next_ms = self._wall_ms(), trio.current_time(), FOREVER_MS
        by_channel: dict[tuple[str, str], list[Message]] = {}
        for message in await self._store.read(waiting):
            by_channel.setdefault((message.owner, message.channel_id), []).append(message)
        if not by_channel:
            return FOREVER_MS
        wishes = await self._wishes()
        for place, messages in by_channel.items():
            if place in self._sending:
                continue
            wish, local = wishes.get(place[0], (Wishes(), self._local_time))
            channel = next((each for each in wish.channels if each.id == place[1]), None)
            if channel is None or not channel.enabled or not wish.enabled:
                await self._settle(messages, "failed", "the channel is gone, or switched off")
                continue
            urgent = any(each.body["severity"] == "critical" for each in messages)
            floor_s = FLOOR_CRITICAL_S if urgent else FLOOR_S
            free_ms = now_ms + round((self._sent_s.get(place, -1e9) + floor_s - now_s) * 1000)
            # After trouble everything waits for the next try of the first; what is new and urgent may be tried at once.
            next_try_ms = min(each.next_ms for each in messages) if urgent else messages[0].next_ms
            if next_try_ms > now_ms + LAST_RETRY_MS:
                next_try_ms = now_ms  # by a clock that was ahead
            due_ms = max(free_ms, next_try_ms)
            if wish.quiet is not None and not (urgent and wish.critical_override):
                due_ms = quiet_until(max(due_ms, now_ms), wish.quiet, local)
            if due_ms <= now_ms:
                self._sending.add(place)
                nursery.start_soon(self._send, place, channel, messages, local)
            else:
                next_ms = min(next_ms, due_ms)
        return next_ms

    async def _send(
        self, place: tuple[str, str], channel: ChannelWish, messages: list[Message], local: LocalTime
    ) -> None:
        try:
            await self._try(place, channel, messages, local)
        except ArchiveError as error:
            LOG.warning("a delivery can't be recorded: %s", error.reason)
            await trio.sleep(1)
        finally:
            self._sending.discard(place)
            self._wake.set()

    async def _try(
        self, place: tuple[str, str], channel: ChannelWish, messages: list[Message], local: LocalTime
    ) -> None:
        error = DeliveryError(f"it took longer than {WITHIN_S:g} s")
        try:
            with trio.move_on_after(WITHIN_S):
                await self._channels.send(channel, messages[0].message_id, merged(messages, self._wall_ms(), local))
                self._sent_s[place] = trio.current_time()
                await self._settle(messages, "sent", None)
                return
        except DeliveryError as trouble:
            error = trouble
        except ArchiveError:
            raise
        except Exception as trouble:
            LOG.exception("channel %s", channel.id)
            error = DeliveryError(f"{type(trouble).__name__}: {trouble}"[:300])
        self._sent_s[place] = trio.current_time()
        now_ms, attempts = self._wall_ms(), messages[0].attempts + 1
        if error.permanent or (now_ms - messages[0].created_ms > KEEP_MS and attempts > KEEP_TRIES):
            LOG.warning("channel %s of %s: given up: %s", channel.id, place[0], error)
            await self._settle(messages, "failed", str(error)[:500])
            return
        pause_ms = min(FIRST_RETRY_MS << min(attempts - 1, 20), LAST_RETRY_MS)
        if error.retry_after_s is not None:
            pause_ms = max(pause_ms, min(round(error.retry_after_s * 1000), LAST_RETRY_MS))
        LOG.info("channel %s of %s: again in %g s: %s", channel.id, place[0], pause_ms / 1000, error)
        ids, text = [each.message_id for each in messages], str(error)[:500]
        await self._store.write(lambda connection: postpone(connection, ids, now_ms + pause_ms, attempts, text))

    async def _settle(self, messages: list[Message], state: str, error: str | None) -> None:
        ids, now_ms, attempts = [each.message_id for each in messages], self._wall_ms(), messages[0].attempts + 1
        await self._store.write(lambda connection: settle(connection, ids, state, now_ms, error, attempts))


def _messages(owner: str, wishes: Wishes, notices: list[Notice], now_ms: int, local: LocalTime) -> list[Message]:
    found = []
    for channel in wishes.channels:
        wanted = [each for each in notices if channel.wants(each)]
        if channel.enabled and wanted:
            id_ = secrets.token_hex(8)
            body = _body(wanted, now_ms, local)
            found.append(Message(id_, owner, channel.id, now_ms, "waiting", now_ms, 0, None, None, body))
    return found


def _body(notices: list[Notice], now_ms: int, local: LocalTime, skipped: int = 0) -> dict[str, Any]:
    title, text, severity = composed(notices, now_ms, local, skipped)
    shown = [
        {"key": each.key, "title": each.title, "text": each.text, "severity": each.severity,
         "category": each.category, "state": "firing" if each.firing else "resolved", "at": each.at_ms / 1000}
        for each in notices[:MERGED_NOTICES]
    ]  # fmt: skip
    return {
        "title": title, "text": text, "severity": severity, "count": len(notices) + skipped, "notices": shown,
        "sent_at": now_ms / 1000,
    }  # fmt: skip


def merged(messages: list[Message], now_ms: int, local: LocalTime) -> Mapping[str, Any]:
    """One message about all of them: of each thing what was said last."""
    if len(messages) == 1 and now_ms - messages[0].created_ms < LATE_MS:
        return messages[0].body
    latest: dict[str, Notice] = {}
    counted = sum(message.body["count"] for message in messages)
    for message in messages:
        for each in message.body["notices"]:
            latest.pop(each["key"], None)
            latest[each["key"]] = Notice(
                each["key"], each["title"], each["text"], each["severity"], each["category"],
                each["state"] == "firing", round(each["at"] * 1000),
            )  # fmt: skip
    notices = sorted(latest.values(), key=lambda each: (not each.firing, -RANK[each.severity], each.at_ms))
    hidden = counted - sum(len(message.body["notices"]) for message in messages)
    return _body(notices, now_ms, local, hidden)

"""The courier: what reaches whom, through outages, restarts and disks that fail."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from actors.courier import FLOOR_S, PREFERENCES, Courier, DeliveryError
from analytics.local_time import UTC_TIME
from analytics.notices import ChannelWish, Notice, Standing
from storage.control import ControlStore
from storage.control_documents import put_document
from storage.control_outbox import deliveries

CHANNEL = {
    "id": "phone", "type": "webhook", "url": "https://x", "secret": None, "enabled": True, "min_severity": "low",
    "categories": None,
}  # fmt: skip
NOTIFICATIONS = {
    "enabled": True, "channels": [CHANNEL], "group_wait_s": 0, "group_interval_s": 10, "repeat_interval_s": 604_800,
    "cooldown_s": 0, "digest": {"enabled": False, "at": "08:00", "max_severity": "medium"},
    "quiet_hours": {"enabled": False, "start": "22:00", "end": "07:00", "critical_override": True},
}  # fmt: skip
BASE_MS = 20_000 * 86_400_000


@pytest.fixture
def patient_clock(autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch) -> trio.testing.MockClock:
    """A clock that jumps, but not while a thread is at work: to Trio nothing happens then either."""
    in_thread = trio.to_thread.run_sync
    at_work = 0

    async def run_sync(*arguments: Any, **options: Any) -> Any:
        nonlocal at_work
        at_work += 1
        autojump_clock.autojump_threshold = math.inf
        try:
            return await in_thread(*arguments, **options)
        finally:
            at_work -= 1
            if not at_work:
                autojump_clock.autojump_threshold = 0

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)
    return autojump_clock


@dataclass
class Post:
    """Channels that remember; `trouble` says what happens to a message."""

    trouble: Any = None
    arrived: list[tuple[float, str, Mapping[str, Any]]] = field(default_factory=list)
    tries: list[float] = field(default_factory=list)
    news: trio.Event = field(default_factory=trio.Event)

    async def send(self, channel: ChannelWish, message_id: str, body: Mapping[str, Any]) -> None:
        self.tries.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        error = self.trouble(channel) if self.trouble else None
        if error is not None:
            raise error
        self.arrived.append((trio.current_time(), channel.id, body))
        self.news.set()


def notice(key: str, severity: str = "high", *, firing: bool = True) -> Notice:
    return Notice(key, f"title {key}", "text", severity, "reliability", firing, BASE_MS)


@dataclass
class House:
    store: ControlStore
    courier: Courier
    post: Post
    ahead_ms: int = 0  # of the wall clock
    standing: Standing = field(default_factory=lambda: Standing(frozenset({"a"})))

    def wall_ms(self) -> int:
        return BASE_MS + self.ahead_ms + round(trio.current_time() * 1000)

    def jump(self, seconds: float) -> None:
        self.ahead_ms += round(seconds * 1000)

    async def wish(self, owner: str = "anna", zone: str | None = None, **members: Any) -> None:
        body = {"time_zone": zone, "notifications": {**NOTIFICATIONS, **members}}
        await self.store.write(
            lambda c: put_document(c, PREFERENCES, "mine", body, owner=owner, expected="any", now_ms=1, limit=9)
        )
        self.courier.look()

    async def arrival(self, count: int) -> None:
        with trio.fail_after(200_000):
            while len(self.post.arrived) < count:
                self.post.news = trio.Event()
                await self.post.news.wait()

    async def records(self, owner: str = "anna") -> list[tuple[str, int]]:
        return [(each.state, each.attempts) for each in await self.store.read(lambda c: deliveries(c, owner, 99))]


@asynccontextmanager
async def house(folder: Path, post: Post | None = None) -> AsyncIterator[House]:
    store, post = ControlStore(folder / "control.db"), post or Post()
    await store.open(True)
    courier = Courier(
        store=store, channels=post, local_time=UTC_TIME, wall_ms=lambda: it.wall_ms(), standing=lambda: it.standing
    )
    it = House(store, courier, post)
    async with trio.open_nursery() as nursery:
        await nursery.start(courier.run)
        yield it
        nursery.cancel_scope.cancel()
    await store.aclose()


async def test_what_is_heard_arrives_by_each_users_wishes(tmp_path) -> None:
    async with house(tmp_path) as it:
        await it.wish()
        await it.wish("bert", channels=[{**CHANNEL, "id": "mail", "min_severity": "critical"}])
        it.courier.hear(notice("a"))
        await it.arrival(1)
        assert it.post.arrived[0][1:] == ("phone", it.post.arrived[0][2])
        assert it.post.arrived[0][2]["title"] == "title a"
        it.courier.hear(notice("b", "critical"))
        await it.arrival(3)
        assert {(channel, body["title"]) for _, channel, body in it.post.arrived[1:]} == {
            ("phone", "title b"), ("mail", "title b"),
        }  # fmt: skip


async def test_nobody_to_tell(tmp_path) -> None:
    async with house(tmp_path) as it:
        it.courier.hear(notice("a"))
        await trio.sleep(0.3)
        await it.wish(enabled=False)
        it.courier.hear(notice("b"))
        await trio.sleep(0.3)
        assert it.post.tries == []


async def test_five_hundred_at_once_are_one_message(tmp_path) -> None:
    async with house(tmp_path) as it:
        await it.wish()
        for number in range(500):
            it.courier.hear(notice(str(number)))
        await it.arrival(1)
        await trio.sleep(0.3)
        assert [body["count"] for _, _, body in it.post.arrived] == [500]


async def test_a_day_without_the_mail_server_ends_in_one_summary(tmp_path, patient_clock) -> None:
    day_s = 86_400.0
    post = Post(trouble=lambda channel: DeliveryError("down") if trio.current_time() < day_s else None)
    async with house(tmp_path, post) as it:
        await it.wish()
        for number in range(24):
            it.courier.hear(notice(str(number)))
            await trio.sleep_until((number + 1) * 3500)
        it.courier.hear(notice("0", firing=False))
        await it.arrival(1)
        assert len(post.arrived) == 1
        at_s, _, body = post.arrived[0]
        assert day_s <= at_s <= day_s + 7_200
        assert body["title"] == "23 to look at, 1 over"
        assert len(post.tries) < 24 * 6 + 30  # no more than every quarter of an hour, and the first few
        await trio.sleep(1)
        states = [state for state, _ in await it.records()]
        assert sorted(set(states)) == ["merged", "sent"]


async def test_what_is_put_away_or_over_is_not_repeated(tmp_path, patient_clock) -> None:
    day_s = 86_400.0
    async with house(tmp_path) as it:
        await it.wish(repeat_interval_s=day_s)
        for key in ("a", "b"):
            it.courier.hear(notice(key))
        await it.arrival(1)
        await it.arrival(2)
        assert day_s <= it.post.arrived[1][0] <= day_s + 60
        assert it.post.arrived[1][2]["title"] == "title a"
        it.standing = Standing(frozenset(), frozenset({"a"}))
        await trio.sleep(2 * day_s)
        it.standing = Standing(frozenset({"a"}))
        await it.arrival(3)
        assert it.post.arrived[2][0] >= 3 * day_s


QUIET = {"enabled": True, "start": "22:00", "end": "07:00", "critical_override": True}


async def test_what_waited_for_a_channel_does_not_arrive_in_quiet_hours(tmp_path, patient_clock) -> None:
    hour_s = 3_600.0
    post = Post(trouble=lambda channel: DeliveryError("down") if trio.current_time() < 25 * hour_s else None)
    async with house(tmp_path, post) as it:
        await it.wish(quiet_hours=QUIET)
        await trio.sleep_until(21.9 * hour_s)
        it.courier.hear(notice("a"))
        await it.arrival(1)
        assert 31 * hour_s <= post.arrived[0][0] <= 31.1 * hour_s
        assert post.arrived[0][2]["text"] == "text (Fri 00:00)"  # when it was, and not when it could be sent
        assert not any(22 * hour_s < at_s < 31 * hour_s for at_s in post.tries)


async def test_what_is_critical_arrives_in_quiet_hours_with_what_waited(tmp_path, patient_clock) -> None:
    hour_s = 3_600.0
    post = Post(trouble=lambda channel: DeliveryError("down") if trio.current_time() < 22 * hour_s else None)
    async with house(tmp_path, post) as it:
        await it.wish(quiet_hours=QUIET)
        await trio.sleep_until(21.9 * hour_s)
        it.courier.hear(notice("a"))
        await trio.sleep_until(24 * hour_s)
        it.courier.hear(notice("b", "critical"))
        await it.arrival(1)
        assert post.arrived[0][0] <= 24.1 * hour_s
        assert post.arrived[0][2]["title"] == "2 to look at"


async def test_what_waits_when_notifications_are_switched_off_is_not_sent(tmp_path, patient_clock) -> None:
    post = Post(trouble=lambda channel: DeliveryError("down") if trio.current_time() < 600 else None)
    async with house(tmp_path, post) as it:
        await it.wish()
        it.courier.hear(notice("a"))
        await trio.sleep_until(300)
        await it.wish(enabled=False)
        await trio.sleep_until(3_600)
        assert post.arrived == []
        assert [state for state, _ in await it.records()] == ["failed"]


@pytest.mark.parametrize("jump_s", [-90 * 86_400, 90 * 86_400])
async def test_a_clock_that_jumps_neither_delays_nor_drops_what_waits(tmp_path, patient_clock, jump_s: float) -> None:
    """It is set when the network comes, and the first try afterwards may still fail."""
    post = Post(trouble=lambda channel: DeliveryError("down") if trio.current_time() < 400 else None)
    async with house(tmp_path, post) as it:
        await it.wish()
        it.courier.hear(notice("a"))
        await trio.sleep_until(300)
        it.jump(jump_s)
        await it.arrival(1)
        assert post.arrived[0][0] < 400 + 2 * 900


async def test_the_other_side_says_when(tmp_path, patient_clock) -> None:
    errors = [DeliveryError("busy", retry_after_s=120)]
    async with house(tmp_path, Post(trouble=lambda channel: errors.pop() if errors else None)) as it:
        await it.wish()
        it.courier.hear(notice("a"))
        await it.arrival(1)
        assert it.post.tries[1] - it.post.tries[0] >= 120


async def test_what_can_never_arrive_is_given_up(tmp_path) -> None:
    async with house(tmp_path, Post(trouble=lambda channel: DeliveryError("no", permanent=True))) as it:
        await it.wish()
        it.courier.hear(notice("a"))
        with trio.fail_after(5):
            while [state for state, _ in await it.records()] != ["failed"]:
                await trio.sleep(0.02)
        await it.wish(channels=[])
        assert len(it.post.tries) == 1


async def test_a_channel_that_is_gone(tmp_path) -> None:
    async with house(tmp_path, Post(trouble=lambda channel: DeliveryError("down"))) as it:
        await it.wish()
        it.courier.hear(notice("a"))
        with trio.fail_after(5):
            while not it.post.tries:
                await trio.sleep(0.02)
        await it.wish(channels=[])
        with trio.fail_after(5):
            while [state for state, _ in await it.records()] != ["failed"]:
                await trio.sleep(0.02)


async def test_one_channels_trouble_is_nobody_elses(tmp_path) -> None:
    post = Post(trouble=lambda channel: RuntimeError("bug") if channel.id == "phone" else None)
    async with house(tmp_path, post) as it:
        await it.wish(channels=[CHANNEL, {**CHANNEL, "id": "mail"}])
        it.courier.hear(notice("a"))
        await it.arrival(1)
        assert post.arrived[0][1] == "mail"


async def test_a_channel_is_left_in_peace(tmp_path, patient_clock) -> None:
    async with house(tmp_path) as it:
        await it.wish(group_interval_s=10)
        for number in range(5):
            it.courier.hear(notice(str(number)))
            await trio.sleep(11)
        await trio.sleep(2 * FLOOR_S)
        times = [at_s for at_s, _, _ in it.post.arrived]
        assert min(after - before for before, after in pairwise(times)) >= FLOOR_S - 0.001
        assert sum(body["count"] for _, _, body in it.post.arrived) == 5


async def test_a_restart_neither_forgets_nor_repeats(tmp_path) -> None:
    post = Post()
    async with house(tmp_path, post) as it:
        await it.wish()
        it.courier.hear(notice("told"))
        await it.arrival(1)
        await it.wish(group_wait_s=600)
        it.courier.hear(notice("gathered"))
        await trio.sleep(0.3)
    async with house(tmp_path, post) as it:
        it.courier.hear(notice("told"))  # thresholds and insights that still hold come again
        await it.wish(group_interval_s=0)
        await it.arrival(2)
        await trio.sleep(0.2)
        assert [body["title"] for _, _, body in post.arrived] == ["title told", "title gathered"]


async def test_a_store_in_trouble_loses_nothing(tmp_path, patient_clock) -> None:
    async with house(tmp_path) as it:
        await it.wish()
        await it.store.read(lambda c: c.execute("PRAGMA query_only = ON").fetchone())
        it.courier.hear(notice("a"))
        await trio.sleep(20)
        assert it.post.tries == []
        await it.store.read(lambda c: c.execute("PRAGMA query_only = OFF").fetchone())
        await it.arrival(1)


async def test_a_test_message(tmp_path) -> None:
    async with house(tmp_path, Post(trouble=lambda channel: DeliveryError("no route"))) as it:
        with pytest.raises(DeliveryError):
            await it.courier.send_test(ChannelWish("a", "webhook", "https://x"))

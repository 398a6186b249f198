"""The hub: everything the dashboards hear, fanned out without ever waiting for any of them.

`publish` and `publish_metrics` are synchronous and cost the same however slow a client is. Metrics are
coalesced (latest value per metric): the first frame at once, then at most ten a second for all clients
together, so that a frame is encoded once. Each client has its own Subscription:

- other events wait in a queue of QUEUE_EVENTS; past it the oldest go, and a `gap` event says how many were
  lost;
- metrics wait as one event, latest value per metric, however long the client takes;
- a client that leaves something waiting for BEHIND_S is closed: `receive` raises TooSlow, `closed` is set.

The hub is a plain object that survives every restart; only its `run` (the trailing edge of metrics) is a
child.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final

import trio
from msgspec import Struct, field

FRAME_GAP_S: Final = 0.11  # between two metrics frames: at most ten in any second, also on a jittery network
QUEUE_EVENTS: Final = 256  # waiting events of one client, metrics aside
BEHIND_S: Final = 30.0  # how long a client may leave something waiting
METRICS: Final = "metrics"
GAP: Final = "gap"


class TooSlow(Exception):
    """The client stayed behind for too long and was cut off."""


class Choice(Struct, frozen=True):
    """Metrics a client follows: `names`, or all `but` them, those that are new later included."""

    names: frozenset[str]
    but: bool = False

    def takes(self, name: str) -> bool:
        return (name in self.names) is not self.but


class Event(Struct, eq=False):
    """One thing to tell. Shared by all clients: nobody changes it, but whoever encodes it first leaves the
    frame."""

    topic: str
    data: Mapping[str, Any]
    time_ms: int  # wall clock
    encoded: bytes | None = None
    key: str | None = None
    parts: dict[Choice, Event | None] = field(default_factory=dict)  # of metrics, by choice


class HubStatistics(Struct, frozen=True):
    clients: int
    published: int
    delivered: int
    encoded: int  # frames made, however many clients they were delivered to
    lost: int  # events dropped for slow clients
    cut_off: int  # clients closed as too slow


class _Counts(Struct):
    published: int = 0
    delivered: int = 0
    encoded: int = 0
    lost: int = 0
    cut_off: int = 0


class Subscription:
    """One client's view. A context manager: leaving it ends it. One `receive` at a time."""

    def __init__(self, hub: Hub) -> None:
        self.closed = trio.Event()  # set when cut off: a sender that hangs in its socket watches this
        self._hub = hub
        self._queue: deque[Event] = deque()
        self._metrics: Event | None = None
        self._lost = 0
        self._waiting_since_s: float | None = None
        self._nudged = False
        self._arrived = trio.Event()
        self._topics: frozenset[str] | None = None
        self._choice: Choice | None = None

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hub._forget(self)

    def set_filter(self, topics: frozenset[str] | None, metrics: Choice | None) -> None:
        """What this client wants from now on; None: everything. `gap` always comes."""
        self._topics, self._choice = topics, metrics

    async def receive(self) -> list[Event]:
        """Everything that waits, `gap` first, metrics last; waits until there is something, or a nudge (then
        there may be nothing). Raises TooSlow."""
        await trio.lowlevel.checkpoint()
        while True:
            if self.closed.is_set():
                raise TooSlow("the client stayed behind for too long")
            if self._waiting_since_s is not None:
                return self._take()
            if self._nudged:
                self._nudged = False
                return []
            self._arrived = trio.Event()
            await self._arrived.wait()

    def nudge(self) -> None:
        """Let `receive` return: whoever waits there has something else to do."""
        self._nudged = True
        self._arrived.set()

    def _take(self) -> list[Event]:
        events: list[Event] = []
        if self._lost:
            events.append(Event(GAP, {"lost": self._lost}, self._hub._wall_ms()))
        events += self._queue
        if self._metrics is not None:
            events.append(self._metrics)
        self._queue.clear()
        self._metrics = None
        self._lost = 0
        self._waiting_since_s = None
        self._nudged = False
        self._hub._counts.delivered += len(events)
        return events

    def _offer(self, event: Event) -> None:
        """The hub's side: keep it, if it is wanted and the client still counts."""
        if self.closed.is_set() or (self._topics is not None and event.topic not in self._topics):
            return
        if event.topic == METRICS:
            wanted = self._of_interest(event)
            if wanted is None:
                return
            waiting = self._metrics
            if waiting is not None:
                wanted = Event(METRICS, {**waiting.data, **wanted.data}, wanted.time_ms)
            self._metrics = wanted
        else:
            self._enqueue(event)
        now_s = trio.current_time()
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s
            self._arrived.set()
        elif now_s - self._waiting_since_s > BEHIND_S:
            self._cut_off()

    def _of_interest(self, event: Event) -> Event | None:
        """The metrics this client follows: one event for all clients that follow the same; the shared one itself
        when that is all of them."""
        choice = self._choice
        if choice is None:
            return event
        if choice not in event.parts:
            data = {name: latest for name, latest in event.data.items() if choice.takes(name)}
            if len(data) == len(event.data):
                return event
            event.parts[choice] = Event(METRICS, data, event.time_ms) if data else None
        return event.parts[choice]

    def _enqueue(self, event: Event) -> None:
        if event.key is not None:
            for index, waiting in enumerate(self._queue):
                if waiting.topic == event.topic and waiting.key == event.key:
                    del self._queue[index]
                    break
        if len(self._queue) == QUEUE_EVENTS:
            self._queue.popleft()
            self._lost += 1
            self._hub._counts.lost += 1
        self._queue.append(event)

    def _cut_off(self) -> None:
        self._hub._counts.cut_off += 1
        self._hub._forget(self)
        self._queue.clear()
        self._metrics = None
        self.closed.set()
        self._arrived.set()


class _Pending(Struct):
    latest: dict[str, tuple[int, float]] = field(default_factory=dict)
    sent_s: float = float("-inf")
    wake: trio.Event = field(default_factory=trio.Event)


class Hub:
    """See the module docstring for the promises."""

    def __init__(self, wall_ms: Callable[[], int]) -> None:
        self._wall_ms = wall_ms
        self._subscriptions: dict[Subscription, None] = {}  # in order of joining
        self._counts = _Counts()
        self._pending = _Pending()

    def subscribe(self) -> Subscription:
        """A new client; it hears everything from this moment on."""
        subscription = Subscription(self)
        self._subscriptions[subscription] = None
        return subscription

    def publish(self, topic: str, data: Mapping[str, Any], *, key: str | None = None) -> None:
        """Tell every client who wants `topic`. `data` holds JSON values and is never changed afterwards.

        With `key`: a waiting event of the same topic and key is out of date and goes.
        """
        self._tell(Event(topic, data, self._wall_ms(), key=key))

    def publish_metrics(self, latest: Mapping[str, tuple[int, float]]) -> None:
        """Latest (time_ms, value) by metric. Travels as topic "metrics", {name: {"value", "timestamp"}}.

        `timestamp` is unix seconds, as everywhere in the contract's bodies.
        """
        if not self._subscriptions:
            return
        pending = self._pending
        pending.latest.update(latest)
        if trio.current_time() >= pending.sent_s + FRAME_GAP_S:
            self._send_metrics()
        else:
            pending.wake.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """The trailing edge: what was held back goes out when its time has come."""
        pending = self._pending
        task_status.started()
        while True:
            if not pending.latest:
                pending.wake = trio.Event()
                await pending.wake.wait()
            await trio.sleep_until(pending.sent_s + FRAME_GAP_S)
            if pending.latest and trio.current_time() >= pending.sent_s + FRAME_GAP_S:
                self._send_metrics()

    def count_encoded(self) -> None:
        """Whoever makes an event's frame says so."""
        self._counts.encoded += 1

    def statistics(self) -> HubStatistics:
        counts = self._counts
        return HubStatistics(
            clients=len(self._subscriptions),
            published=counts.published,
            delivered=counts.delivered,
            encoded=counts.encoded,
            lost=counts.lost,
            cut_off=counts.cut_off,
        )

    def _send_metrics(self) -> None:
        pending = self._pending
        latest, pending.latest = pending.latest, {}
        pending.sent_s = trio.current_time()
        data = {name: {"value": value, "timestamp": at_ms / 1000} for name, (at_ms, value) in latest.items()}
        self._tell(Event(METRICS, data, self._wall_ms()))

    def _tell(self, event: Event) -> None:
        self._counts.published += 1
        for subscription in tuple(self._subscriptions):
            subscription._offer(event)

    def _forget(self, subscription: Subscription) -> None:
        self._subscriptions.pop(subscription, None)

"""The WebSocket /ws/analytics: what happens, told to dashboards as it happens.

Owns the frames {"type", "data", "timestamp"} and one client's conversation. Promises: every connect starts
whole (`hello`, `snapshot`), each event is encoded once however many clients hear it, nothing a client does or
leaves undone delays ingest or another client, and no command travels here: a client can only choose what it
hears.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import quart.wrappers.base
import trio
from quart import Response, Websocket, websocket
from quart_trio import QuartTrio

from actors.frames import alert_frame, marked_frame, seconds
from actors.hub import METRICS, Event, Subscription, TooSlow

from .auth.identity import AuthError
from .auth.session import Session
from .backend import Backend
from .problems import Problem
from .rounding import number
from .server import STOPPING
from .version import VERSION

LOG: Final = logging.getLogger(__name__)

PATH: Final = "/ws/analytics"
FLAG: Final = "analytics_dashboard"
TOPICS: Final = frozenset(
    {METRICS, "insight", "insight_update", "alert", "action", "pattern", "status", "gap", "notice"}
)
MAX_CLIENTS: Final = 128
MAX_NAMES: Final = 10_000  # in one client's choice of metrics
ANSWERS: Final = 32  # that may wait for a client which asks and does not read

GOING_AWAY: Final = 1001
POLICY: Final = 1008
TRY_LATER: Final = 1013

# Quart 0.23 raises this where 0.22 only cancels.
_Disconnected: Final[type[Exception]] = getattr(
    quart.wrappers.base, "ClientDisconnectedError", trio.ClosedResourceError
)


def frame(kind: str, data: Any, time_ms: int) -> str:
    """One text frame. What JSON cannot say (NaN, Infinity) becomes null."""
    document = {"type": kind, "data": data, "timestamp": stamp(time_ms)}
    return msgspec.json.encode(document).decode()


def stamp(time_ms: int) -> str:
    """ISO 8601 with Z, as CoachIQ's client types it."""
    text = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def encoded(event: Event) -> str:
    """The event's frame, made by the first client that sends it."""
    text = event.encoded
    if not isinstance(text, str):
        data = event.data
        if event.topic == METRICS:
            data = {name: {**latest, "value": number(latest["value"])} for name, latest in data.items()}
        event.encoded = text = frame(event.topic, data, event.time_ms)
    return text


def register_live(app: QuartTrio, backend: Backend) -> None:
    """Add the WebSocket to `app`."""
    clients: set[_Client] = set()

    @app.websocket(PATH)
    async def live() -> Response | None:
        if not backend.flags.enabled(FLAG):
            return Problem(404, "Analytics dashboard disabled").response(PATH)
        if len(clients) >= MAX_CLIENTS:
            headers = {"retry-after": "5"}
            return Problem(503, "Too many dashboards are connected", headers=headers).response(PATH)
        # The object behind the context's proxy: the tasks outlive no context, and each use of it is cheaper.
        socket: Websocket = websocket._get_current_object()  # type: ignore[attr-defined]
        with backend.hub.subscribe() as subscription:
            client = _Client(backend, socket, subscription, Session(backend.access.verifier, socket.scope))
            clients.add(client)
            try:
                await client.run()
            finally:
                clients.discard(client)
        return None


class _Client:
    """One dashboard. Its tasks hear, answer, tell and watch for ends; the first that is done ends all."""

    def __init__(self, backend: Backend, socket: Websocket, subscription: Subscription, session: Session) -> None:
        self._backend = backend
        self._session = session
        self._socket = socket
        self._subscription = subscription
        self._topics: frozenset[str] | None = None  # None: all
        self._metrics: frozenset[str] | None = None
        self._ask, self._asked = trio.open_memory_channel[str](ANSWERS)
        self._greeted = trio.Event()
        self._left = False

    async def run(self) -> None:
        await self._socket.accept()
        if not await self._login():
            return
        async with trio.open_nursery() as nursery:
            for task in (self._hear, self._answer, self._tell, self._watch_stop, self._watch_cut, self._watch_login):
                nursery.start_soon(self._first_to_end, task, nursery)

    async def _first_to_end(self, task: Callable[[], Awaitable[None]], nursery: trio.Nursery) -> None:
        with suppress(_Disconnected):  # the peer has gone: all that is left is to end
            await task()
        nursery.cancel_scope.cancel()

    async def _send(self, text: str) -> None:
        if not self._left:
            await self._socket.send(text)

    async def _leave(self, code: int, reason: str) -> None:
        """Close with a reason. No send is cancelled for it: half a frame would make the close unreadable."""
        if not self._left:
            self._left = True
            await self._socket.close(code, reason)

    async def _login(self) -> bool:
        with suppress(_Disconnected):
            try:
                await self._session.login(self._socket.receive)
                return True
            except AuthError as error:
                await self._leave(POLICY, str(error))
        return False

    async def _watch_login(self) -> None:
        await self._leave(POLICY, str(await self._session.until_ended()))

    async def _greet(self) -> None:
        now_ms = self._backend.wall_ms()
        hello = {"server_time": seconds(now_ms), "version": VERSION, "resume": False}
        await self._send(frame("hello", hello, now_ms))
        await self._send(frame("snapshot", snapshot(self._backend, now_ms), now_ms))
        self._greeted.set()

    async def _watch_stop(self) -> None:
        stopping: trio.Event | None = self._socket.scope.get("state", {}).get(STOPPING)
        if stopping is None:  # not behind our own server
            await trio.sleep_forever()
        else:
            await stopping.wait()
            await self._leave(GOING_AWAY, "the service is stopping")

    async def _watch_cut(self) -> None:
        await self._subscription.closed.wait()
        await self._leave(TRY_LATER, "too slow: reconnect to start whole")

    async def _tell(self) -> None:
        await self._greet()
        while True:
            try:
                events = await self._subscription.receive()
            except TooSlow:
                await trio.sleep_forever()  # `_watch_cut` says good-bye
            if not self._backend.flags.enabled(FLAG):
                await self._leave(GOING_AWAY, "Analytics dashboard disabled")
                return
            for event in events:
                await self._send(encoded(event))

    async def _hear(self) -> None:
        """Always read on, whatever the other tasks wait for: else a disconnect would not be noticed."""
        while True:
            text = await self._socket.receive()
            try:
                self._ask.send_nowait(self._reply(text))
            except trio.WouldBlock:
                await self._leave(POLICY, "answers are not being read")
                return

    async def _answer(self) -> None:
        await self._greeted.wait()
        while True:
            await self._send(await self._asked.receive())

    def _reply(self, text: str | bytes | None) -> str:
        now_ms = self._backend.wall_ms()
        try:
            kind, data = _parse(text)
            match kind:
                case "ping":
                    return frame("pong", {"server_time": seconds(now_ms)}, now_ms)
                case "heartbeat":
                    return frame("heartbeat_ack", {"server_time": seconds(now_ms)}, now_ms)
                case "auth":
                    self._session.renew(data)
                    return frame("auth_ok", {"server_time": seconds(now_ms)}, now_ms)
                case "subscribe" | "unsubscribe":
                    self._choose(kind == "subscribe", _names(data, "topics", TOPICS), _names(data, "metrics"))
                    return frame("subscription_confirmed", self._choice(), now_ms)
            raise _BadRequestError("type", f"unknown type {kind[:40]!r}; this socket is read-only")
        except _BadRequestError as error:
            return frame("error", {"detail": str(error), "member": error.member}, now_ms)
        except AuthError as error:  # of a fresh token: the one before still holds
            return frame("error", {"detail": str(error), "member": "token"}, now_ms)

    def _choose(self, add: bool, topics: frozenset[str] | None, metrics: frozenset[str] | None) -> None:
        self._topics = _changed(self._topics, topics, add, TOPICS)
        self._metrics = _changed(self._metrics, metrics, add, frozenset(self._backend.memory.names()))
        # What was lost, and words to the person, are never filtered out.
        heard = None if self._topics is None else self._topics | {"gap", "notice"}
        self._subscription.set_filter(heard, self._metrics)

    def _choice(self) -> dict[str, Any]:
        return {
            "topics": None if self._topics is None else sorted(self._topics),
            "metrics": None if self._metrics is None else sorted(self._metrics),
        }


def _changed(
    present: frozenset[str] | None, names: frozenset[str] | None, add: bool, everything: frozenset[str]
) -> frozenset[str] | None:
    """A choice after subscribe (`add`) or unsubscribe. None is everything: the first subscribe narrows it."""
    if names is None:
        return present
    if present is None:
        present = frozenset() if add else everything
    chosen = present | names if add else present - names
    if len(chosen) > MAX_NAMES:
        raise _BadRequestError("metrics", f"more than {MAX_NAMES} names")
    return chosen


class _BadRequestError(Exception):
    def __init__(self, member: str | None, message: str) -> None:
        super().__init__(message)
        self.member = member


def _parse(text: str | bytes | None) -> tuple[str, Mapping[str, Any]]:
    """A client's frame as its type and its members, which may stand in `data` or beside it."""
    if not isinstance(text, str):
        raise _BadRequestError(None, "expected a text frame")
    try:
        request = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _BadRequestError(None, f"not JSON: {error}") from error
    if not isinstance(request, dict) or not isinstance(request.get("type"), str):
        raise _BadRequestError("type", "expected an object with a type")
    data = request.get("data")
    return request["type"], data if isinstance(data, dict) else request


def _names(data: Mapping[str, Any], member: str, known: frozenset[str] | None = None) -> frozenset[str] | None:
    names = data.get(member)
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise _BadRequestError(member, f"{member}: expected a list of names")
    chosen = frozenset(names)
    if known is not None and not chosen <= known:
        raise _BadRequestError(member, f"{member}: unknown {', '.join(sorted(chosen - known))[:200]}")
    return chosen


def snapshot(backend: Backend, now_ms: int) -> dict[str, Any]:
    """Everything a dashboard shows before the first event."""
    insights = backend.control.marks.visible(now_ms)
    progress = backend.progress
    return {
        "metrics": {
            name: {"value": number(latest.value), "timestamp": seconds(latest.time_ms)}
            for name, latest in backend.memory.latest().items()
        },
        "insights": [marked_frame(each, backend.control.marks, now_ms) for each in insights],
        "alerts": [
            *backend.control.alarms.active(),
            *(alert_frame(each) for each in insights if each.severity in ("high", "critical")),
        ],
        "status": {
            "ready": backend.ready,
            "persistence": {"state": progress.state, "reason": progress.reason, "backlog": progress.backlog},
            "actors": {name: health.state for name, health in backend.board.snapshot().items()},
        },
    }

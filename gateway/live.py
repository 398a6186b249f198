"""The WebSocket /ws/analytics: what happens, told to dashboards as it happens.

Owns the frames {"type", "data", "timestamp"} and one client's conversation. Promises: every connect starts
whole (`hello`, `snapshot`), each event is encoded once however many clients hear it, nothing a client does or
leaves undone delays ingest or another client, and no command travels here: a client can only choose what it
hears.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import trio
from quart import Response, websocket
from quart_trio import QuartTrio

from actors.frames import alert_frame, marked_frame, seconds
from actors.hub import METRICS, Choice, Event, Hub, Subscription, TooSlow

from .auth.identity import AuthError
from .auth.session import Session
from .backend import Backend
from .problems import Problem
from .rounding import number
from .talk import GOING_AWAY, OPENER, Opener, Wire, text_frame
from .version import VERSION

PATH: Final = "/ws/analytics"
FLAG: Final = "analytics_dashboard"
TOPICS: Final = frozenset(
    {METRICS, "insight", "insight_update", "alert", "action", "pattern", "status", "gap", "notice"}
)
MAX_CLIENTS: Final = 128
MAX_NAMES: Final = 10_000  # in one client's choice of metrics
ASKED: Final = 32  # messages of a client that wait for an answer; past it, no more are read
ASKED_BYTES: Final = 64 * 1024

POLICY: Final = 1008
TRY_LATER: Final = 1013


def frame(kind: str, data: Any, time_ms: int) -> bytes:
    """One text frame, as it goes over the wire. What JSON cannot say (NaN, Infinity) becomes null."""
    document = {"type": kind, "data": data, "timestamp": stamp(time_ms)}
    return text_frame(msgspec.json.encode(document))


def stamp(time_ms: int) -> str:
    """ISO 8601 with Z, as CoachIQ's client types it."""
    text = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def encoded(event: Event, hub: Hub) -> bytes:
    """The event's frame, made by the first client that sends it."""
    text = event.encoded
    if text is None:
        data = event.data
        if event.topic == METRICS:
            data = {name: {**latest, "value": number(latest["value"])} for name, latest in data.items()}
        hub.count_encoded()
        event.encoded = text = frame(event.topic, data, event.time_ms)
    return text


def register_live(app: QuartTrio, backend: Backend) -> None:
    """Add the WebSocket to `app`: who may open one is decided there, the rest is between client and connection."""
    clients: set[_Client] = set()

    @app.websocket(PATH)
    async def live() -> Response | None:
        if not backend.flags.enabled(FLAG):
            return Problem(404, "Analytics dashboard disabled").response(PATH)
        if len(clients) >= MAX_CLIENTS:
            headers = {"retry-after": "5"}
            return Problem(503, "Too many dashboards are connected", headers=headers).response(PATH)
        opener: Opener | None = websocket.scope.get("state", {}).get(OPENER)
        if opener is None:
            return Problem(501, "WebSockets need the service's own server").response(PATH)
        await opener(_Client(backend, clients, Session(backend.access.verifier, websocket.scope)))
        return None


class _Client:
    """One dashboard: a Talk. The task in `run` tells it everything; what is asked waits for its turn there."""

    __slots__ = (
        "_asked", "_asked_bytes", "_backend", "_clients", "_ending", "_heard", "_metrics", "_room", "_session",
        "_subscription", "_topics",
    )  # fmt: skip

    def __init__(self, backend: Backend, clients: set[_Client], session: Session) -> None:
        self._backend = backend
        self._clients = clients
        self._session = session
        self._subscription: Subscription | None = None
        self._topics: frozenset[str] | None = None  # None: all
        self._metrics: Choice | None = None
        self._asked: deque[str | bytes] = deque()
        self._asked_bytes = 0
        self._heard = trio.Event()  # something was asked, or the end has come
        self._room = trio.Event()
        self._ending: tuple[int | None, str] | None = None

    async def run(self, wire: Wire) -> None:
        self._clients.add(self)
        try:
            with self._backend.hub.subscribe() as self._subscription:
                await self._converse(wire, self._subscription)
        finally:
            self._clients.discard(self)
            self._asked.clear()
            self._room.set()

    async def hear(self, message: str | bytes) -> None:
        """A client that asks faster than it reads is read no further, and so has to wait."""
        size = len(message)
        while self._asked and (len(self._asked) >= ASKED or self._asked_bytes + size > ASKED_BYTES):
            self._room = trio.Event()
            await self._room.wait()
        self._asked.append(message)
        self._asked_bytes += size
        self._wake()

    def end(self, code: int | None, reason: str = "") -> None:
        if self._ending is None:
            self._ending = (code, reason)
            self._wake()

    def _wake(self) -> None:
        self._heard.set()
        if self._subscription is not None:
            self._subscription.nudge()

    def _next_asked(self) -> str | bytes:
        message = self._asked.popleft()
        self._asked_bytes -= len(message)
        self._room.set()
        return message

    async def _converse(self, wire: Wire, subscription: Subscription) -> None:
        try:
            await self._session.login(self._first_asked)
        except AuthError as error:
            self.end(POLICY, str(error))
        async with trio.open_nursery() as nursery:
            if self._session.may_end and self._ending is None:
                nursery.start_soon(self._watch_login)
            if self._ending is None:
                await self._tell(wire, subscription)
            nursery.cancel_scope.cancel()
        code, reason = self._ending or (None, "")
        if code is not None:
            await wire.close(code, reason)

    async def _first_asked(self) -> str | bytes:
        while not self._asked:
            if self._ending is not None:
                raise AuthError(self._ending[1])
            self._heard = trio.Event()
            await self._heard.wait()
        return self._next_asked()

    async def _watch_login(self) -> None:
        self.end(POLICY, str(await self._session.until_ended()))

    async def _tell(self, wire: Wire, subscription: Subscription) -> None:
        now_ms = self._backend.wall_ms()
        hello = {"server_time": seconds(now_ms), "version": VERSION, "resume": False}
        await wire.write(frame("hello", hello, now_ms))
        await wire.write(frame("snapshot", snapshot(self._backend, now_ms), now_ms))
        while self._ending is None:
            while self._asked:
                await wire.write(self._reply(self._next_asked()))
            try:
                events = await subscription.receive()
            except TooSlow:
                self.end(TRY_LATER, "too slow: reconnect to start whole")
                return
            if events and not self._backend.flags.enabled(FLAG):
                self.end(GOING_AWAY, "Analytics dashboard disabled")
                return
            for event in events:
                await wire.write(encoded(event, self._backend.hub))

    def _reply(self, text: str | bytes) -> bytes:
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
        if topics is not None:
            present = self._topics if self._topics is not None else frozenset() if add else TOPICS
            self._topics = present | topics if add else present - topics
        if metrics is not None:
            self._metrics = _changed(self._metrics, metrics, add)
        # What was lost, and words to the person, are never filtered out.
        heard = None if self._topics is None else self._topics | {"gap", "notice"}
        if self._subscription is not None:
            self._subscription.set_filter(heard, self._metrics)

    def _choice(self) -> dict[str, Any]:
        metrics = self._metrics
        names = None if metrics is None else sorted(metrics.names)
        return {
            "topics": None if self._topics is None else sorted(self._topics),
            **({"metrics": names} if metrics is None or not metrics.but else {"metrics": None, "except": names}),
        }


def _changed(present: Choice | None, names: frozenset[str], add: bool) -> Choice | None:
    """A choice of metrics after subscribe (`add`) or unsubscribe. None is everything: the first subscribe narrows it,
    the first unsubscribe leaves all the rest."""
    if present is None:
        chosen = Choice(names, but=not add)
    else:
        chosen = Choice(present.names - names if add is present.but else present.names | names, present.but)
    if len(chosen.names) > MAX_NAMES:
        raise _BadRequestError("metrics", f"more than {MAX_NAMES} names")
    return None if chosen.but and not chosen.names else chosen


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
    if data is not None and not isinstance(data, dict) and request["type"] in ("subscribe", "unsubscribe", "auth"):
        raise _BadRequestError("data", "data: expected an object")
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

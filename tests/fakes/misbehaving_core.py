"""A core on loopback that does what it is told to, wrongly: each command's misbehaviour is chosen by name.

It counts effects: every command that was carried out, with the time. `misbehave` is asked once a command.
"""

# serve_listeners says when it has started.
# flake8: noqa: ASYNC128

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

# name: (is carried out, what is answered)
MISBEHAVIOURS = {
    "sound": "success",
    "accepts and drops": None,  # nothing is done, nothing said
    "answers late": "success",  # after `late_s`
    "timeout": "timeout",  # HTTP 200, done all the same
    "timeout, not done": "timeout",
    "500 after the effect": 500,
    "500 before the effect": 500,
    "resets before the body": None,  # after the effect
    "resets in the body": None,
    "closes without a word": None,
    "refuses": "unauthorized",
    "aborts for safety": "safety_abort",
    "fails": "failed",
    "nonsense": "nonsense",
    "never": None,  # done, and silent
}
UNDONE = {
    "accepts and drops", "timeout, not done", "500 before the effect", "refuses", "aborts for safety", "fails",
    "closes without a word",
}  # fmt: skip


@dataclass
class MisbehavingCore:
    misbehave: Callable[[], str] = lambda: "sound"
    late_s: float = 0.05
    effects: list[tuple[str, bool, float]] = field(default_factory=list)  # entity, state, Trio's time
    received: list[str] = field(default_factory=list)  # entities of commands that arrived
    states: dict[str, bool] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    port: int = 0
    reads_fail: bool = False

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        await trio.serve_listeners(self._serve, listeners, task_status=task_status)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, stream: trio.SocketStream) -> None:
        try:
            await self._answer(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            await trio.aclose_forcefully(stream)

    async def _answer(self, stream: trio.SocketStream) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = await stream.receive_some()
            if not more:
                return
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        method, path = head.decode().split(" ")[:2]
        length = next(
            (int(line[15:]) for line in head.decode().split("\r\n") if line.lower().startswith("content-length:")), 0
        )
        while len(body) < length:
            body += await stream.receive_some()
        path, _, query = path.partition("?")
        entity = path.removeprefix("/api/v2/entities").strip("/").partition("/")[0]
        if method == "GET":
            await self._state(stream, entity, dict(part.split("=") for part in query.split("&") if part))
        else:
            await self._control(stream, entity, json.loads(body))

    async def _state(self, stream: trio.SocketStream, entity: str, query: dict[str, str]) -> None:
        if self.reads_fail:
            await _say(stream, 500, {"detail": "broken"})
        elif not entity:
            size = int(query.get("page_size", 50))
            end = int(query.get("page", 1)) * size
            page = [self._document(each) for each in list(self.states)[end - size : end]]
            await _say(stream, 200, {"entities": page, "has_next": end < len(self.states)})
        elif entity in self.states:
            await _say(stream, 200, self._document(entity))
        else:
            await _say(stream, 404, {"detail": "Entity not found"})

    def _document(self, entity: str) -> dict[str, object]:
        return {
            "entity_id": entity, "name": entity.replace("_", " "), "device_type": self.kinds.get(entity, "light"),
            "state": {"state": "on" if self.states[entity] else "off"}, "available": True,
        }  # fmt: skip

    async def _control(self, stream: trio.SocketStream, entity: str, command: dict[str, object]) -> None:
        how = self.misbehave()
        self.received.append(entity)
        assert command["command"] == "set"
        if how not in UNDONE:
            self.states[entity] = bool(command["state"])
            self.effects.append((entity, bool(command["state"]), trio.current_time()))
        if how in ("accepts and drops", "closes without a word"):
            return
        if how == "never":
            await trio.sleep_forever()
        if how == "answers late":
            await trio.sleep(self.late_s)
        if how == "resets before the body":
            _reset(stream)
        elif how == "resets in the body":
            await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
            _reset(stream)
        else:
            said = MISBEHAVIOURS[how]
            status = said if isinstance(said, int) else 200
            await _say(stream, status, self._result(entity, said) if isinstance(said, str) else {"detail": "broken"})

    def _result(self, entity: str, status: str) -> dict[str, object]:
        said = None if status == "success" else f"{entity}: {status}"
        return {"entity_id": entity, "status": status, "error_message": said, "error_code": None}


def _reset(stream: trio.SocketStream) -> None:
    stream.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER: close with a reset
    stream.socket.close()


async def _say(stream: trio.SocketStream, status: int, document: object) -> None:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    await stream.send_all(head.encode() + body)

"""What people who wish us ill, scanners and broken proxies send, and a process that does: `hostile.py PORT SEED COUNT`.

`SAMPLES` names each kind of conversation, as bytes for a fresh connection; an `Attack` has COUNT of them, forty at a
time, beside two hundred slow and half-open ones.
"""

# The table of conversations is read by its first column.
# ruff: noqa: E501
# flake8: noqa: E501

from __future__ import annotations

import gzip
import json
import socket
import struct
import sys
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

import trio

AT_A_TIME: Final = 40
SLOW: Final = 200

HOST: Final = b"host: localhost\r\n"
BATCH: Final = b"/api/analytics/metrics/batch"
BOMB: Final = gzip.compress(bytes(8 << 20))
UPGRADE: Final = (
    b"upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
H2_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
H2_SETTINGS: Final = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


def get(path: bytes, fields: bytes = b"") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n"


def post(path: bytes, body: bytes, fields: bytes = b"") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + fields + b"content-length: %d\r\n\r\n" % len(body) + body


def masked(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    size = len(payload)
    length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
    return bytes(((0x80 if final else 0) | opcode,)) + length + bytes(4) + payload


def socket_with(*frames: bytes) -> bytes:
    return get(b"/ws/analytics", UPGRADE) + b"".join(frames)


Maker = Callable[[Random], bytes]

SAMPLES: Final[dict[str, Maker]] = {
    "random bytes": lambda r: r.randbytes(r.randrange(1, 400)),
    "random bytes after a line": lambda r: b"GET / HTTP/1.1\r\n" + r.randbytes(r.randrange(1, 400)),
    "random method": lambda r: bytes(r.choices(range(33, 127), k=r.randrange(1, 20))) + b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method nobody has": lambda r: b"BREW /pot HTTP/1.1\r\n" + HOST + b"\r\n",
    "connect": lambda r: b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "trace": lambda r: b"TRACE /livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "a version to come": lambda r: b"GET / HTTP/3.0\r\n" + HOST + b"\r\n",
    "http/0.9": lambda r: b"GET /livez\r\n",
    "http/2": lambda r: H2_PREFACE + H2_SETTINGS + r.randbytes(50),
    "h2c": lambda r: get(b"/livez", b"upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABk\r\n")
    + H2_PREFACE,
    "tls": lambda r: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + r.randbytes(500),
    "long target": lambda r: get(b"/" + b"a" * 20_000),
    "long field": lambda r: get(b"/livez", b"x: " + b"y" * 20_000 + b"\r\n"),
    "many fields": lambda r: get(b"/livez", b"".join(b"x-%d: y\r\n" % n for n in range(3_000))),
    "field with nul": lambda r: get(b"/livez", b"x: a\0b\r\n"),
    "folded field": lambda r: get(b"/livez", b"x: a\r\n b\r\n"),
    "space before colon": lambda r: get(b"/livez", b"content-length : 5\r\n"),
    "two hosts": lambda r: get(b"/livez", b"host: evil.example\r\n"),
    "no host": lambda r: b"GET /livez HTTP/1.1\r\n\r\n",
    "another host": lambda r: b"GET /livez HTTP/1.1\r\nhost: evil.example\r\norigin: null\r\n\r\n",
    "another origin": lambda r: post(BATCH, b"{}", b"origin: https://evil.example\r\n"),
    "absolute target": lambda r: b"GET http://evil.example/livez HTTP/1.1\r\n" + HOST + b"\r\n",
    "path with escapes": lambda r: get(b"/docs/%2e%2e/%2e%2e/etc/passwd%00"),
    "path not utf-8": lambda r: get(b"/api/analytics/metrics/%ff%fe/data"),
    "query with everything": lambda r: get(b"/api/analytics/trends?" + b"&".join(b"metrics=%d" % n for n in range(2_000))),
    "query of nonsense": lambda r: get(b"/api/analytics/historical?time_window_hours=1e999&include_predictions=%00"),
    "large length": lambda r: b"POST /write HTTP/1.1\r\n" + HOST + b"content-length: 999999999\r\n\r\n",
    "absurd length": lambda r: b"POST /write HTTP/1.1\r\n" + HOST + b"content-length: " + b"9" * 40 + b"\r\n\r\n",
    "negative length": lambda r: b"POST /write HTTP/1.1\r\n" + HOST + b"content-length: -5\r\n\r\nabc",
    "two lengths": lambda r: b"POST /write HTTP/1.1\r\n" + HOST + b"content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
    "length and chunks": lambda r: b"POST /write HTTP/1.1\r\n" + HOST
    + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": lambda r: b"POST /write HTTP/1.1\r\n" + HOST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "broken chunks": lambda r: b"POST /write HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\nzz\r\n" + r.randbytes(50),
    "oversize": lambda r: post(BATCH, b" " * (1 << 20) + b"{}"),
    "oversize chunks": lambda r: b"POST /write HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"
    + (b"10000\r\n" + b"a" * 65_536 + b"\r\n") * 17,
    "gzip bomb": lambda r: post(b"/write", BOMB, b"content-encoding: gzip\r\n"),
    "gzip of nothing": lambda r: post(b"/write", b"\x1f\x8b" + r.randbytes(40), b"content-encoding: gzip\r\n"),
    "half a body": lambda r: post(BATCH, b'{"samples": [')[:-5],
    "expects": lambda r: post(BATCH, b"{}", b"expect: 100-continue\r\n"),
    "deep json": lambda r: post(BATCH, b"[" * 100_000, b"content-type: application/json\r\n"),
    "broken json": lambda r: post(BATCH, r.randbytes(100), b"content-type: application/json\r\n"),
    "hostile numbers": lambda r: post(
        BATCH, b'{"samples": [{"metric_name": "m", "value": 1e400}, {"metric_name": "\\ud800", "value": NaN}]}'
    ),
    "wrong members": lambda r: post(BATCH, json.dumps({"samples": [{"metric_name": [], "value": {}}]}).encode()),
    "lines of nonsense": lambda r: post(b"/write?precision=year", r.randbytes(200)),
    "pipeline": lambda r: get(b"/livez") * 20,
    "pipeline of bodies": lambda r: post(BATCH, b"{}") * 10,
    "long token": lambda r: get(b"/healthz", b"authorization: Bearer " + b"x" * 5_000 + b"\r\n"),
    "token of nonsense": lambda r: get(b"/healthz", b"authorization: Bearer " + r.randbytes(20).hex().encode() + b"\r\n"),
    "basic of nonsense": lambda r: post(b"/write", b"a b=1", b"authorization: Basic !!!\r\n"),
    "half a handshake": lambda r: get(b"/ws/analytics", b"upgrade: websocket\r\nconnection: upgrade\r\n"),
    "handshake for a page": lambda r: get(b"/livez", UPGRADE),
    "socket and junk": lambda r: socket_with(r.randbytes(200)),
    "unmasked frame": lambda r: socket_with(b"\x81\x05hello"),
    "huge frame": lambda r: socket_with(struct.pack("!BBQ", 0x81, 0x80 | 127, 1 << 40) + bytes(4) + b"x" * 1_000),
    "endless fragments": lambda r: socket_with(masked(1, b"x", final=False), *[masked(0, b"x" * 120, final=False)] * 800),
    "not utf-8": lambda r: socket_with(masked(1, b"\xff\xff")),
    "frames of nonsense": lambda r: socket_with(*(masked(1, b'{"type": "%d"}' % n) for n in range(50))),
    "commands": lambda r: socket_with(masked(1, b'{"type": "subscribe", "data": {"topics": [1]}}'), masked(2, b"\0")),
    "close twice": lambda r: socket_with(masked(8, b"\x03\xe8"), masked(8, b"\x03\xe8"), masked(1, b"more")),
}  # fmt: skip


class Attack:
    """Everything that goes on against one service at the same time."""

    def __init__(self, port: int, seed: int, count: int) -> None:
        self.port = port
        self.left = count
        self.randomly = Random(seed)
        self.statuses: Counter[str] = Counter()
        self.faults: list[str] = []
        # Made beforehand: the cores are for the service.
        self.conversations = [(name, make(self.randomly)) for name, make in SAMPLES.items() for _ in range(8)]

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(SLOW):
                nursery.start_soon(self.drip, number)
            async with trio.open_nursery() as workers:
                for _ in range(AT_A_TIME):
                    workers.start_soon(self.work)
            nursery.cancel_scope.cancel()

    async def work(self) -> None:
        while self.left:
            self.left -= 1
            name, data = self.randomly.choice(self.conversations)
            manner = self.randomly.random()
            try:
                with trio.move_on_after(10):
                    async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
                        await self.talk(stream, name, data, manner)
            except (OSError, trio.BrokenResourceError):
                pass  # cut off: as good an answer as any

    async def talk(self, stream: trio.SocketStream, name: str, data: bytes, manner: float) -> None:
        if manner < 0.1:  # reset in the middle
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await stream.send_all(data)
        if manner < 0.2:  # gone without reading
            return
        answer = None
        with trio.move_on_after(1):
            answer = await stream.receive_some()
        if answer is None:  # it waits for more
            await stream.send_eof()
            answer = await stream.receive_some()
        if not answer.startswith(b"HTTP/1.1 "):
            return
        status = answer[9:12].decode()
        self.statuses[status] += 1
        if status >= "500":
            self.faults.append(f"{name}: {bytes(answer)!r}")

    async def drip(self, number: int) -> None:
        """A head, a body, or nothing: a byte a second until the service has had enough; then again. Every fourth
        leaves its connection half open: it neither sends nor reads nor closes."""
        head = b"POST /write HTTP/1.1\r\nhost: localhost\r\n"
        begins = (head, head + b"content-length: 9000\r\n\r\n", b"", get(b"/livez")[:-2])
        while True:
            try:
                async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
                    await stream.send_all(begins[number % len(begins)])
                    while True:
                        if number % len(begins) == len(begins) - 1:
                            await trio.sleep(20)
                            break
                        with trio.move_on_after(1):
                            if not await stream.receive_some():
                                break
                        await stream.send_all(b"x" if number % len(begins) < 2 else b"")
            except (OSError, trio.BrokenResourceError):
                await trio.sleep(0.1)


def main(port: int, seed: int, count: int) -> None:
    """Attack, then say on stdout what came of it."""
    attack = Attack(port, seed, count)
    trio.run(attack.run)
    print(json.dumps({"statuses": attack.statuses, "faults": attack.faults[:5]}))


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))

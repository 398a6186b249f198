"""What authentication and the rest of the gateway cost, and what it stands.

- Small POSTs (one sample) with a token, as a ratio to a bare Quart-Trio handler that reads JSON and answers, on the
  same server in the same run: goal 0.8.
- 100 WebSocket clients, metrics at ten frames a second: delay from the POST to the last client, goal p99 < 60 ms.
- 10,000 hostile requests: no 5xx, a healthy probe's p99 < 500 ms meanwhile; descriptors and memory return.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import trio
from quart import request
from quart_trio import QuartTrio
from service_process import Client, Started, get, post, service

from gateway.server import Server, harden, open_listening_socket

PATH = "/api/analytics/metrics/batch"
ROUNDS = 8
POSTS = 250
HOSTILE = 10_000
ATTACKER = Path(__file__).parents[1] / "system" / "hostile.py"


def with_token(message: bytes, token: str) -> bytes:
    return message.replace(b"\r\n", b"\r\nauthorization: Bearer " + token.encode() + b"\r\n", 1)


def make_token(folder: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "gateway", "token", "create", "bench", "--scope", "admin"],
        env={**os.environ, "COACHIQ_ANALYTICS__DB_PATH": f"{folder}/analytics.db"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def bare_server() -> None:
    """Child process: a Quart-Trio handler on our server that does the least a POST of JSON can."""
    app = QuartTrio("bare")
    harden(app)

    @app.post(PATH)
    async def take() -> dict[str, int]:
        body = await request.get_json()
        return {"accepted": len(body["samples"])}

    with open_listening_socket("127.0.0.1", 0) as listener:
        print(listener.getsockname()[1], flush=True)
        trio.run(Server(app, listener).run)


def rate(client: Client, message: bytes, count: int) -> float:
    begun = time.perf_counter()
    for _ in range(count):
        status, answer = client.send(message)
        if status != 200:
            raise SystemExit(f"refused: {status} {answer!r}")
    return count / (time.perf_counter() - begun)


def small_posts(started: Started, token: str) -> None:
    body = json.dumps({"samples": [{"metric_name": "a.b", "value": 1.5}]}).encode()
    bare = subprocess.Popen([sys.executable, __file__, "bare"], stdout=subprocess.PIPE, text=True)
    try:
        assert bare.stdout is not None
        bare_client, ours = Client(int(bare.stdout.readline())), Client(started.port)
        message = post(PATH, body)
        pairs = [
            (rate(bare_client, message, POSTS), rate(ours, with_token(message, token), POSTS))
            for _ in range(ROUNDS + 1)
        ][1:]
    finally:
        bare.kill()
        bare.wait()
    print(f"small POSTs: bare Quart-Trio handler {statistics.median(p[0] for p in pairs):,.0f}/s")
    print(f"small POSTs: ours, token checked {statistics.median(p[1] for p in pairs):,.0f}/s")
    print(f"small POSTs: ratio = {statistics.median(p[1] / p[0] for p in pairs):.2f}", flush=True)


def handshake(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def fan_out(started: Started, token: str, clients: int, frames: int) -> None:
    """Sockets that are only looked at for the number they wait for: the machine's cores are for the service."""
    encoded, delivered = counts_of_frames(started.port, token)
    resident = started.resident_mb()
    sockets = [socket.create_connection(("127.0.0.1", started.port)) for _ in range(clients)]
    for each in sockets:
        each.sendall(handshake(f"/ws/analytics?token={token}"))
    for each in sockets:
        greeting = b""
        while b'"type":"snapshot"' not in greeting or not greeting.endswith(b"}"):
            greeting += each.recv(1 << 20)
    grown = started.resident_mb() - resident
    delays: list[float] = []
    poster = Client(started.port)
    cpu_s = started.cpu_s()
    with selectors.DefaultSelector() as selector:
        for each in sockets:
            selector.register(each, selectors.EVENT_READ)
        for number in range(frames):
            body = json.dumps({"samples": [{"metric_name": "fan", "value": number}]}).encode()
            mark = b'"fan":{"value":%d' % number
            left = set(sockets)
            sent = time.perf_counter()
            poster.ask(with_token(post(PATH, body), token))
            while left:
                ready = selector.select(timeout=10)
                now = time.perf_counter()
                if not ready:
                    raise SystemExit(f"{len(left)} clients did not get frame {number}")
                for key, _ in ready:
                    assert isinstance(key.fileobj, socket.socket)
                    if mark in key.fileobj.recv(1 << 16):
                        left.discard(key.fileobj)
                        delays.append(now - sent)
            if poster.answer()[0] != 200:
                raise SystemExit("refused")
            time.sleep(max(0.0, 0.12 - (time.perf_counter() - sent)))
    cpu_s = started.cpu_s() - cpu_s
    for each in sockets:
        each.close()
    encoded, delivered = (now - before for now, before in zip(
        counts_of_frames(started.port, token), (encoded, delivered), strict=True
    ))  # fmt: skip
    p99 = statistics.quantiles(delays, n=100)[98] * 1000
    print(f"{clients} WebSocket clients: p99 {p99:.1f} ms over {len(delays)} deliveries", flush=True)
    print(f"{clients} WebSocket clients: {delivered:,.0f} frames delivered, {encoded:,.0f} encoded")
    print(f"{clients} WebSocket clients: {cpu_s * 1e6 / len(delays):.0f} µs of CPU a delivery, all told")
    print(f"{clients} WebSocket clients: {grown * 1000 / clients:.0f} kB a client")


def counts_of_frames(port: int, token: str) -> tuple[float, float]:
    """Encoded and delivered so far, by the service's own counters."""
    text = Client(port).send(with_token(get("/metrics"), token))[1].decode()
    return tuple(  # type: ignore[return-value]
        float(re.search(rf"^coachiq_analytics_frames_{name}_total (\S+)$", text, re.MULTILINE)[1])  # type: ignore[index]
        for name in ("encoded", "delivered")
    )


def survive(started: Started) -> None:
    """The attack of tests/system/hostile.py, probed meanwhile.

    What is loaded when it is first needed is no leak: a small attack comes before the first look.
    """
    subprocess.run([sys.executable, str(ATTACKER), str(started.port), "0", "500"], stdout=subprocess.PIPE, check=True)
    time.sleep(3)
    descriptors = len(list(Path(f"/proc/{started.process.pid}/fd").iterdir()))
    before = started.resident_mb()
    command = [sys.executable, str(ATTACKER), str(started.port), "1", str(HOSTILE)]
    waits = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacker:
        while attacker.poll() is None:
            begun = time.perf_counter()
            probe = Client(started.port)
            probe.send(get("/livez"))
            probe.close()
            waits.append(time.perf_counter() - begun)
            time.sleep(0.05)
        assert attacker.stdout is not None
        said = json.loads(attacker.stdout.read())
    time.sleep(3)
    left = len(list(Path(f"/proc/{started.process.pid}/fd").iterdir()))
    print(f"{HOSTILE:,} hostile requests: statuses {dict(sorted(said['statuses'].items()))}")
    print(f"{HOSTILE:,} hostile requests: 5xx = {len(said['faults'])}")
    print(f"healthy probe meanwhile: p99 {statistics.quantiles(waits, n=100)[98] * 1000:.0f} ms of {len(waits)}")
    print(f"descriptors {descriptors} -> {left}; memory {before:.0f} -> {started.resident_mb():.0f} MB", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        token = make_token(folder)
        with service(AUTH_MODE="token", DB_PATH=f"{folder}/analytics.db", LOG_LEVEL="INFO") as started:
            # Read on: a full pipe of log lines would stop the service.
            threading.Thread(target=lambda: list(started.process.stderr or ()), daemon=True).start()
            small_posts(started, token)
            fan_out(started, token, 5, 60)
            fan_out(started, token, 100, 60)
            survive(started)


if __name__ == "__main__":
    if sys.argv[1:] == ["bare"]:
        bare_server()
    else:
        main()

"""Start to the first 200, and resident memory: idle with everything on, and with 434 metrics x 2 h at 1 Hz.

The start stands beside that of a handler of one line on the same packages (Quart-Trio on Hypercorn, numpy, anysqlite,
trio-websocket): below it nobody comes, and it tells how fast the machine is just now.
"""

from __future__ import annotations

import json
import random
import socket
import statistics
import subprocess
import sys
import time

from service_process import Client, get, post, service

METRICS = 434
SAMPLES = 7200
SETTLE_S = 3.0
STARTS = 7
BARE = """
import sys
import anysqlite, hypercorn.config, hypercorn.trio, numpy, quart_trio, trio, trio_websocket

app = quart_trio.QuartTrio("bare")
app.get("/readyz", endpoint="ready")(lambda: "yes")
config = hypercorn.config.Config()
config.bind = ["127.0.0.1:" + sys.argv[1]]
config.errorlog = None
trio.run(hypercorn.trio.serve, app, config)
"""


def first_answer_s() -> float:
    with service(PERSISTENCE="true", DB_PATH="bench.db") as started:
        return time.monotonic() - started.started_s


def bare_answer_s() -> float:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", BARE, str(port)]) as process:
        try:
            Client(port).wait_ready()
            return time.monotonic() - started
        finally:
            process.kill()


def series(metric: int, begin: float) -> bytes:
    rng = random.Random(metric)
    decimals = rng.choice((0, 1, 2))
    value, values = 20.0, []
    for _ in range(SAMPLES):
        value += rng.gauss(0, 0.05)
        values.append(round(value, decimals))
    times = [round(begin + n + rng.uniform(-0.03, 0.03), 3) for n in range(SAMPLES)]
    return json.dumps(
        {"series": [{"metric_name": f"coach.metric.{metric}", "timestamps": times, "values": values}]}
    ).encode()


def main() -> None:
    pairs = [(first_answer_s(), bare_answer_s()) for _ in range(STARTS)]
    ours, bare = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"process start to first 200 = {ours:.2f} s (median of {STARTS})")
    print(f"the same of one bare handler on the same packages = {bare:.2f} s: {ours / bare:.2f} times as long")
    with service(PERSISTENCE="true", DB_PATH="bench.db") as started:
        time.sleep(SETTLE_S)
        print(f"resident, idle, persistence on = {started.resident_mb():.0f} MB")
    with service() as started:
        client = Client(started.port)
        time.sleep(SETTLE_S)
        idle = started.resident_mb()
        begin = time.time() - SAMPLES
        for metric in range(METRICS):
            status, answer = client.send(post("/api/analytics/metrics/batch", series(metric, begin)))
            assert status == 200, answer
        time.sleep(SETTLE_S)
        print(f"resident, idle, memory only = {idle:.0f} MB")
        print(f"added by {METRICS} metrics x {SAMPLES} samples = {started.resident_mb() - idle:.0f} MB")
        total = 0
        cursor = "/api/analytics/metrics?limit=1000"
        for metric in json.loads(client.send(get(cursor))[1])["metrics"]:
            total += metric["samples"]
        print(f"samples still in memory = {total:,} of {METRICS * SAMPLES:,}")


if __name__ == "__main__":
    main()

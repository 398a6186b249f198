"""kill -9 during ingest: no acknowledged durable sample is lost, and the service is back at once."""

from __future__ import annotations

import http.client
import random
import threading
import time

import pytest

ROUNDS = 20
FLUSH_S = 1.0
SLOWER = 3.0  # at most, than the first start, which has nothing to look at: 3 s where that takes one


@pytest.mark.system
@pytest.mark.long
def test_kill_during_ingest_loses_no_durable_sample(start, tmp_path):
    database = tmp_path / "analytics.db"
    settings = {"PERSISTENCE": "true", "DB_PATH": str(database), "FLUSH_INTERVAL": str(FLUSH_S)}
    rng = random.Random(4)
    durable: dict[str, float] = {}  # metric -> value; each metric gets one sample
    plain: dict[str, tuple[float, float]] = {}  # metric -> value and when it was acknowledged
    service = start(ready=False, **settings)
    usual_s = service.wait_ready()
    for round_number in range(ROUNDS):
        stop = threading.Event()

        def send(kind: str, query: str, service=service, stop=stop, round_number=round_number):
            n = 0
            while not stop.is_set():
                n += 1
                names = [f"{kind}.{i}" for i in range(5)]
                now = time.time()
                body = {
                    "samples": [
                        {"metric_name": name, "value": round_number * 1000 + n, "timestamp": now} for name in names
                    ]
                }
                try:
                    answer = service.post(f"/api/analytics/metrics/batch{query}", body)
                except (OSError, http.client.HTTPException):
                    return  # the service was killed
                if answer.status == 200:
                    for name in names:
                        key = f"{name}@{round(now * 1000)}"
                        if kind == "durable":
                            durable[key] = round_number * 1000 + n
                        else:
                            plain[key] = (round_number * 1000 + n, time.monotonic())

        threads = [
            threading.Thread(target=send, args=("durable", "?ack=durable")),
            threading.Thread(target=send, args=("plain", "")),
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.2 + rng.random() * 0.5)
        service.kill()
        killed_s = time.monotonic()
        stop.set()
        for thread in threads:
            thread.join(10)
        service.close()
        for key, (_, acknowledged_s) in list(plain.items()):
            if killed_s - acknowledged_s < FLUSH_S + 1.0:
                del plain[key]  # within the stated loss window: may be gone
        service = start(ready=False, **settings)
        assert service.wait_ready() < SLOWER * usual_s
    kept: dict[str, float] = {}
    for kind in ("durable", "plain"):
        for i in range(5):
            answer = service.get(f"/api/analytics/metrics/{kind}.{i}/data?start={time.time() - 3600}&resolution=raw")
            for point in answer.json["data_points"]:
                kept[f"{kind}.{i}@{round(point['timestamp'] * 1000)}"] = point["value"]
    assert len(durable) > ROUNDS * 5
    assert {key: kept.get(key) for key in durable} == durable
    lost = [key for key in plain if key not in kept]
    assert not lost
    assert service.terminate() == 0

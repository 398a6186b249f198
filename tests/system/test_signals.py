"""Signals to the whole process: the first drains it, a second one ends it at once."""

from __future__ import annotations

import signal
import time

import pytest

pytestmark = pytest.mark.system

LINGERING = "tests.system.lingering_service"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_aborts_a_stop_that_takes_long(start, number):
    service = start(program=LINGERING)
    assert service.post("/api/analytics/metrics", {"metric_name": "a", "value": 1}).status == 200
    service.process.send_signal(number)
    drained = service.wait_for(lambda: (answer := service.get("/readyz")).status == 503 and answer)
    assert drained.json["detail"] == "Not ready"
    assert drained.headers["retry-after"] == "1"
    assert service.get("/livez").status == 200  # what is stopped later still serves
    assert service.process.poll() is None
    begun_s = time.monotonic()
    service.process.send_signal(number)
    assert service.process.wait(20) == 128 + number  # the child asks for a minute
    assert time.monotonic() - begun_s < 5
    assert "second signal: aborting at once" in service.log


def test_one_signal_is_a_clean_end(start):
    service = start()
    assert service.terminate() == 0
    assert "second signal" not in service.log

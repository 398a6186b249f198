"""The log: JSON a line, constants as events, nothing forged, no secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from gateway.logs import configure_logs

LOG = logging.getLogger("gateway.test")
EVIL = 'name"},\n{"level":"forged"}\r\x1b[31m\u2028\ud800'


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_a_record_is_one_object_and_its_event_a_constant() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json", stream=stream)
    LOG.info("metric %s has %d samples", EVIL, 7)
    LOG.debug("not this one")
    (line,) = stream.getvalue().split("\n")[:-1]
    record = json.loads(line)
    assert record["event"] == "metric %s has %d samples"
    assert record["level"] == "info"
    assert record["logger"] == "gateway.test"
    assert record["args"][1] == 7
    assert record["message"].startswith("metric name")
    assert record["timestamp"].endswith("Z")
    assert set(record) == {"timestamp", "level", "logger", "event", "message", "args"}


def test_an_exception_is_a_value() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json", stream=stream)
    try:
        raise ValueError(EVIL)
    except ValueError:
        LOG.exception("failed")
    (line,) = stream.getvalue().split("\n")[:-1]
    assert "ValueError" in json.loads(line)["exception"]


def test_plain_text_cannot_be_forged() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "text", stream=stream)
    LOG.warning("metric %s", EVIL)
    try:
        raise ValueError("a\n2026-01-01 INFO root: forged")
    except ValueError:
        LOG.exception("failed")
    written = stream.getvalue().split("\n")
    assert "WARNING gateway.test: metric name" in written[0]
    assert all(line.startswith("    ") for line in written[2:-1])
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_secrets_are_masked_wherever_they_turn_up(form: str) -> None:
    stream = io.StringIO()
    configure_logs("DEBUG", form, secrets=["canary-secret", ""], stream=stream)  # type: ignore[arg-type]
    LOG.info("secret canary-secret and %s", "canary-secret")
    LOG.info("GET %s", "/ws/analytics?token=canary-1234567890&x=1")
    LOG.info("POST %s", "/write?db=a&p=canary-1234567890")
    LOG.info("Bearer %s", "caq_canary_1234567890abcdefgh")
    LOG.info("jwt %s", "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOjF9canary.c2lnY2FuYXJ5canary")
    try:
        raise ValueError("canary-secret")
    except ValueError:
        LOG.exception("failed")
    assert len(stream.getvalue().split("\n")) > 5
    assert "canary" not in stream.getvalue()


def test_a_template_that_does_not_fit_is_still_a_line() -> None:
    stream = io.StringIO()
    configure_logs("INFO", "json", stream=stream)
    LOG.info("one %s two %s", "only one")
    LOG.info("%d", "not a number")
    LOG.info(ValueError("as a message"))
    assert [json.loads(line)["event"] for line in lines(stream)] == ["one %s two %s", "%d", "ValueError"]

"""Samples come in one by one or in bodies; what is wrong is named, what is right is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from quart.testing import QuartClient

from actors.messages import Flush, QuarantinedError
from gateway.backend import Backend

ONE = "/api/analytics/metrics"
BATCH = "/api/analytics/metrics/batch"
JSON = {"Content-Type": "application/json"}


async def post(client: QuartClient, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = await client.post(path, data=data, headers={**JSON, **headers})
    document = json.loads(await response.get_data())
    if response.status_code >= 400:
        assert response.mimetype == "application/problem+json"
        assert isinstance(document["detail"], str)
    return response.status_code, document


async def test_one_sample(client: QuartClient, backend: Backend, recorder: Any, now_ms: int) -> None:
    status, answer = await post(client, ONE, {"metric_name": "a b/ü", "value": 1, "metadata": {"unit": "V"}})
    assert (status, answer) == (200, {"success": True, "message": "Recorded a b/ü"})
    latest = backend.memory.latest_of("a b/ü")
    assert latest is not None
    assert (latest.time_ms, latest.value) == (now_ms, 1.0)
    info = backend.memory.info("a b/ü")
    assert info is not None
    assert info.metadata == '{"unit":"V"}'
    status, answer = await post(client, ONE, {"metric_name": "a b/ü", "value": 2, "timestamp": now_ms / 1000})
    assert (status, answer["message"]) == (200, "Replaced the sample at the same time of a b/ü")


@pytest.mark.parametrize(
    ("body", "status", "pointer", "detail"),
    [
        (b'{"metric_name":"a","value":NaN}', 422, "/value", "value: expected a finite number, got NaN"),
        (b'{"metric_name":"a","value":true}', 422, "/value", "value: expected a finite number, got true"),
        (b'{"metric_name":"","value":1}', 422, "/metric_name", "metric_name: expected a name"),
        (b'{"value":1}', 422, "/metric_name", "metric_name: missing"),
        (b'{"metric_name":"a","value":1,"x":1}', 422, "/x", "x: unknown member"),
        (b'{"metric_name":"a","value":1,"timestamp":1760009999}', 422, "/timestamp", "timestamp lies more than"),
        (b"[]", 422, "", "expected an object, got an array"),
        (b"nonsense", 400, None, "The body is not JSON at line 1"),
        (b"", 400, None, "The body is not JSON"),
    ],
)
async def test_one_bad_sample(
    client: QuartClient, recorder: Any, body: bytes, status: int, pointer: str | None, detail: str
) -> None:
    got, answer = await post(client, ONE, body)
    assert got == status
    assert answer["detail"].startswith(detail)
    assert [error["pointer"] for error in answer["errors"]] == ([] if pointer is None else [pointer])


async def test_batch_of_rows(client: QuartClient, backend: Backend, recorder: Any, now_ms: int) -> None:
    rows = b"""{"samples": [
        {"metric_name": "a", "value": 1, "timestamp": 1759999990},
        {"metric_name": "b", "value": 1e400},
        {"metric_name": "a", "value": 2, "timestamp": 1759999990},
        {"metric_name": "a", "value": 3, "timestamp": 1790000000},
        {"metric_name": "b", "value": 4}
    ]}"""
    status, answer = await post(client, BATCH, rows)
    assert status == 200
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (2, 1, 2)
    assert sorted(error["index"] for error in answer["errors"]) == [1, 3]
    assert "series" not in answer["errors"][0]
    assert backend.memory.window("a", 0, now_ms + 1).values.tolist() == [2.0]


async def test_batch_of_columns(client: QuartClient, backend: Backend, recorder: Any, now_ms: int) -> None:
    body = {
        "series": [
            {"metric_name": "a", "timestamps": [1759999990, 1759999991, 1790000000], "values": [1, None, 3]},
            {"metric_name": "b", "timestamps": [1759999990], "values": [], "metadata": {}},
        ]
    }
    status, answer = await post(client, BATCH, body)
    assert status == 200
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (1, 0, 3)
    assert {(error["series"], error["index"]) for error in answer["errors"]} == {("a", 1), ("b", 1), ("a", 2)}


@pytest.mark.parametrize("body", [{"samples": []}, {"series": []}])
async def test_an_empty_batch_is_taken(client: QuartClient, body: dict[str, Any]) -> None:
    assert await post(client, BATCH, body) == (
        200,
        {"accepted": 0, "rejected": 0, "duplicates": 0, "errors": []},
    )


async def test_nothing_taken(client: QuartClient, recorder: Any) -> None:
    rows = [{"metric_name": "a", "value": "x"}] * 300
    status, answer = await post(client, BATCH, {"samples": rows})
    assert status == 422
    assert answer["rejected"] == 300
    assert len(answer["errors"]) == 100
    assert answer["detail"].endswith("(and 299 more)")
    assert recorder.messages == []


@pytest.mark.parametrize("body", [b'{"samples": {}}', b'{"x": []}', b"{}", b'{"samples": [], "series": []}', b"7"])
async def test_no_batch_at_all(client: QuartClient, body: bytes) -> None:
    status, answer = await post(client, BATCH, body)
    assert status == 422
    assert answer["errors"]


async def test_the_cap_on_metrics(client: QuartClient, backend: Backend, recorder: Any) -> None:
    rows = [{"metric_name": f"m{n}", "value": 1} for n in range(60)]
    status, answer = await post(client, BATCH, {"samples": rows})
    assert (status, answer["accepted"], answer["rejected"]) == (200, 50, 10)
    assert answer["errors"][0]["index"] == 50
    status, answer = await post(client, BATCH, {"samples": rows[50:]})
    assert status == 429
    assert answer["detail"].startswith("No sample was taken: metric_name: ")
    status, answer = await post(client, ONE, rows[59])
    assert status == 429
    (error,) = answer["errors"]
    assert (error["pointer"], answer["detail"]) == ("/metric_name", f"metric_name: {error['message']}")
    status, _ = await post(client, ONE, rows[0])
    assert status == 200


async def test_errors_come_in_the_order_of_the_body(client: QuartClient, recorder: Any, now_ms: int) -> None:
    """Whoever refused the sample: the reading of the body, or the recorder (a time far ahead)."""
    now, ahead = now_ms / 1000, now_ms / 1000 + 10_000_000
    rows = [
        {"metric_name": "a", "value": value, "timestamp": at}
        for at, value in ((ahead, 1), (now, None), (ahead + 1, 1), (now, None), (now, 1))
    ]
    _, answer = await post(client, BATCH, {"samples": rows})
    assert [error["index"] for error in answer["errors"]] == [0, 1, 2, 3]
    columns = [
        {"metric_name": name, "timestamps": [ahead, now, ahead, now], "values": [1, None, 1, 1]} for name in ("z", "a")
    ]
    _, answer = await post(client, BATCH, {"series": columns})
    found = [(error["series"], error["index"]) for error in answer["errors"]]
    assert found == [(name, index) for name in ("z", "a") for index in (0, 1, 2)]


async def test_a_recorder_that_does_not_keep_up(
    client: QuartClient, backend: Backend, recorder: Any, autojump_clock: trio.testing.MockClock
) -> None:
    recorder.hold()
    async with trio.open_nursery() as nursery:
        for n in range(3):  # one in flight, two waiting
            nursery.start_soon(post, client, ONE, {"metric_name": f"m{n}", "value": 1})
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        response = await client.post(ONE, data=b'{"metric_name":"late","value":1}', headers=JSON)
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        assert trio.current_time() - began == pytest.approx(0.25)
        recorder.go_on()
    assert backend.memory.info("late") is None
    assert backend.memory.info("m2") is not None


async def test_no_answer_from_the_recorder(
    client: QuartClient, recorder: Any, autojump_clock: trio.testing.MockClock
) -> None:
    recorder.hold()
    status, answer = await post(client, ONE, {"metric_name": "a", "value": 1})
    assert status == 503
    assert "harmless" in answer["detail"]


async def test_a_quarantined_message(client: QuartClient, recorder: Any) -> None:
    recorder.error = QuarantinedError("x")
    status, answer = await post(client, ONE, {"metric_name": "a", "value": 1})
    assert (status, "put them aside" in answer["detail"]) == (500, True)


async def test_while_the_service_stops(client: QuartClient, backend: Backend) -> None:
    backend.record_mailbox.close()
    status, answer = await post(client, ONE, {"metric_name": "a", "value": 1})
    assert (status, answer["detail"]) == (503, "The service is shutting down")


@pytest.mark.parametrize(("path", "headers"), [("?ack=durable", {}), ("", {"Prefer": "respond-async, wait=5"})])
async def test_durable_answers_after_the_commit(
    client: QuartClient, backend: Backend, recorder: Any, path: str, headers: dict[str, str]
) -> None:
    backend.progress.set_state("on")
    answers: list[tuple[int, dict[str, Any]]] = []

    async def write() -> None:
        answers.append(await post(client, ONE + path, {"metric_name": "a", "value": 1}, **headers))

    async def commit(message: object) -> None:
        assert message == Flush(now=True)
        assert not answers
        backend.progress.advance(backend.memory.last_seq)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await backend.persist_mailbox.handle_next(commit)
    assert answers[0][0] == 200


async def test_durable_without_persistence(client: QuartClient, backend: Backend, recorder: Any) -> None:
    status, answer = await post(client, f"{BATCH}?ack=durable", {"samples": [{"metric_name": "a", "value": 1}]})
    assert status == 409
    assert "off" in answer["detail"]
    assert recorder.messages == []


async def test_durable_with_a_disk_in_trouble(client: QuartClient, backend: Backend, recorder: Any) -> None:
    backend.progress.set_state("degraded", "the disk is full")
    status, answer = await post(client, f"{BATCH}?ack=durable", {"samples": [{"metric_name": "a", "value": 1}]})
    assert status == 503
    assert answer["accepted"] == 1
    assert "the disk is full" in answer["detail"]
    assert backend.memory.info("a") is not None


async def test_durable_that_comes_too_late(
    client: QuartClient, backend: Backend, recorder: Any, autojump_clock: trio.testing.MockClock
) -> None:
    backend.progress.set_state("on")
    status, answer = await post(client, f"{ONE}?ack=durable", {"metric_name": "a", "value": 1})
    assert (status, "in memory" in answer["detail"]) == (503, True)


async def test_an_unknown_ack(client: QuartClient) -> None:
    status, answer = await post(client, f"{ONE}?ack=maybe", {"metric_name": "a", "value": 1})
    assert (status, answer["errors"][0]["parameter"]) == (422, "ack")


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/plain"}, {"Content-Type": "application/json", "Content-Encoding": "gzip"}]
)
async def test_bodies_of_another_kind(client: QuartClient, headers: dict[str, str]) -> None:
    response = await client.post(BATCH, data=b"{}", headers=headers)
    assert response.status_code == 415


async def test_no_type_is_taken_for_json(client: QuartClient, recorder: Any) -> None:
    response = await client.post(ONE, data=b'{"metric_name":"a","value":1}')
    assert response.status_code == 200


async def test_a_body_beyond_the_limit(client: QuartClient) -> None:
    status, answer = await post(client, BATCH, b" " * (2 << 20))
    assert status == 413
    assert "1048576" in answer["detail"]


async def test_a_large_bad_body_is_checked_off_the_loop(client: QuartClient, recorder: Any) -> None:
    rows = [{"metric_name": f"m{n % 7}", "value": n} for n in range(2_000)] + [{"metric_name": "m1", "value": None}]
    status, answer = await post(client, BATCH, {"samples": rows})
    assert (status, answer["rejected"]) == (200, 1)
    assert answer["errors"][0]["message"] == "value: expected a finite number, got null"

"""The way of an intake: summed up to the sample, and told what became of it when it is not taken or not safe."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from quart_trio import QuartTrio
from werkzeug.datastructures import Headers

from actors.mailbox import RepeatedCrashError
from actors.messages import Flush, QuarantinedError, Record, Recorded
from gateway.backend import Backend
from gateway.ingest import MAX_ERRORS, Intake, SampleError
from gateway.problems import Problem
from gateway.schemas.metrics import WriteQuery
from gateway.writing import Outcome, record, summed_up, until_durable, wants_durable
from storage.models import Appended, SeriesPart
from tests.fakes.backend import make_backend

NOW_MS = 1_760_000_000_000
FULL = "there are already 2 metrics: no room for a new one"


@pytest.fixture
def backend() -> Backend:
    return make_backend(lambda: NOW_MS, {})


def part(name: str, size: int) -> SeriesPart:
    return SeriesPart(name, NOW_MS + np.arange(size, dtype=np.int64), np.zeros(size))


def rows(*sizes: int, errors: tuple[SampleError, ...] = (), rejected: int = 0) -> Intake:
    """Metrics m0, m1 ... whose samples came in turns: 0, 3, 6 ... of three metrics are those of m0."""
    origins = tuple(np.arange(size) * len(sizes) + index for index, size in enumerate(sizes))
    parts = tuple(part(f"m{index}", size) for index, size in enumerate(sizes))
    return Intake(parts, origins, columns=False, errors=errors, rejected=rejected)


def columns(*names: str, errors: tuple[SampleError, ...] = (), rejected: int = 0) -> Intake:
    """Four samples each."""
    parts = tuple(part(name, 4) for name in names)
    return Intake(parts, (range(4),) * len(names), columns=True, errors=errors, rejected=rejected)


def refused(*at: int, reason: str = "timestamp lies before 1970") -> tuple[tuple[int, str], ...]:
    return tuple((index, reason) for index in at)


async def refusal(work: Any, *arguments: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await work(*arguments)
    return caught.value


# -- summed up


def test_what_was_taken_is_summed_over_the_parts() -> None:
    outcome = summed_up(rows(5, 3), Recorded(7, (Appended(4, 1), Appended(3, 0))))
    assert outcome == Outcome(accepted=7, duplicates=1)
    assert outcome.as_json() == {"accepted": 7, "rejected": 0, "duplicates": 1, "errors": []}


def test_errors_stand_in_the_order_of_the_rows_whoever_refused_them() -> None:
    unread = (SampleError(9, "value: missing"), SampleError(2, "value: missing"))
    recorded = Recorded(1, (Appended(2, 0, refused(1, 3)), Appended(2, 1, refused(0))))
    outcome = summed_up(rows(4, 4, errors=unread, rejected=2), recorded)
    assert (outcome.accepted, outcome.duplicates, outcome.rejected, outcome.capped) == (4, 1, 5, 0)
    assert outcome.as_json()["errors"] == [
        {"index": 1, "message": "timestamp lies before 1970"},  # the first of m1
        {"index": 2, "message": "value: missing"},
        {"index": 2, "message": "timestamp lies before 1970"},  # the second of m0
        {"index": 6, "message": "timestamp lies before 1970"},
        {"index": 9, "message": "value: missing"},
    ]


def test_errors_of_columns_name_their_series_in_the_order_of_the_body() -> None:
    unread = (SampleError(3, "value: missing", "z"), SampleError(1, "value: missing", "a"))
    recorded = Recorded(1, (Appended(2, 0, refused(0, 2)), Appended(3, 0, refused(3))))
    outcome = summed_up(columns("z", "a", errors=unread, rejected=2), recorded)
    assert [(error.series, error.index) for error in outcome.errors] == [
        ("z", 0),
        ("z", 2),
        ("z", 3),
        ("a", 1),
        ("a", 3),
    ]


def test_a_metric_over_the_cap_is_counted_apart() -> None:
    recorded = Recorded(1, (Appended(1, 0, refused(1)), Appended(0, 0, refused(0, 1, 2, reason=FULL), full=True)))
    outcome = summed_up(rows(2, 3), recorded)
    assert (outcome.accepted, outcome.rejected, outcome.capped) == (1, 4, 3)
    assert {error.message for error in outcome.errors if error.index in (1, 5)} == {f"metric_name: {FULL}"}
    assert [error.message for error in outcome.errors if error.index == 2] == ["timestamp lies before 1970"]


def test_the_errors_are_listed_up_to_a_hundred_and_all_counted() -> None:
    unread = tuple(SampleError(1_000 + n, "value: missing") for n in range(MAX_ERRORS - 3))
    recorded = Recorded(1, (Appended(0, 0, refused(*range(2))), Appended(0, 0, refused(*range(50)))))
    outcome = summed_up(rows(2, 50, errors=unread, rejected=400), recorded)
    assert outcome.rejected == 452
    assert [error.index for error in outcome.errors] == [0, 1, 2, *range(1_000, 1_000 + MAX_ERRORS - 3)]
    full = tuple(SampleError(n, "value: missing") for n in range(MAX_ERRORS))
    outcome = summed_up(rows(1, errors=full, rejected=100), Recorded(1, (Appended(0, 0, refused(0)),)))
    assert (outcome.rejected, tuple(outcome.errors)) == (101, full)


def test_an_outcome_is_apart_from_its_intake() -> None:
    intake = rows(1, errors=(SampleError(5, "value: missing"),), rejected=1)
    for _ in range(2):
        assert len(summed_up(intake, Recorded(1, (Appended(0, 0, refused(0)),))).errors) == 2
    assert intake.errors == (SampleError(5, "value: missing"),)


@pytest.mark.parametrize("answers", [0, 2])
def test_an_answer_about_other_parts_is_none(answers: int) -> None:
    with pytest.raises(ValueError, match="zip"):
        summed_up(rows(1), Recorded(1, (Appended(1, 0),) * answers))


@st.composite
def takings(draw: st.DrawFn) -> tuple[Intake, Recorded]:
    """An intake, and an answer that keeps what Appended promises."""
    done: list[Appended] = []
    for accepted, duplicates, lost, full in draw(
        st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.booleans()), max_size=5)
    ):
        if full:
            done.append(Appended(0, 0, refused(*range(lost), reason=FULL), full=True))
        else:
            at = draw(st.permutations(range(accepted + duplicates + lost)))[:lost]
            done.append(Appended(accepted, duplicates, refused(*sorted(at))))
    unread = draw(st.integers(0, 150))
    errors = tuple(SampleError(10_000 + index, "value: missing") for index in range(min(unread, MAX_ERRORS)))
    sizes = [each.accepted + each.duplicates + len(each.rejected) for each in done]
    return rows(*sizes, errors=errors, rejected=unread), Recorded(1, tuple(done))


@given(takings())
def test_every_sample_is_counted_once(taking: tuple[Intake, Recorded]) -> None:
    intake, recorded = taking
    outcome = summed_up(intake, recorded)
    samples = sum(map(len, intake.parts)) + intake.rejected
    assert outcome.accepted + outcome.duplicates + outcome.rejected == samples
    assert outcome.capped == sum(len(done.rejected) for done in recorded.parts if done.full)
    assert len(outcome.errors) == min(outcome.rejected, MAX_ERRORS)
    indexes = [error.index or 0 for error in outcome.errors]
    assert indexes == sorted(set(indexes))
    refused_rows = {
        int(origin[at]) for origin, done in zip(intake.origins, recorded.parts, strict=True) for at, _ in done.rejected
    }
    assert {index for index in indexes if index < 10_000} <= refused_rows


# -- recorded


def fill(backend: Backend) -> int:
    """Put two messages, which is all there is room for; how many there are."""
    for _ in range(2):
        backend.record_mailbox.put_nowait(Record((part("waiting", 1),)))
    statistics = backend.record_mailbox.statistics()
    assert statistics.depth == statistics.capacity
    return statistics.depth


async def test_the_recorder_gets_the_parts_and_its_answer_comes_back(backend: Backend) -> None:
    intake, recorded = rows(2, 1), Recorded(3, (Appended(2, 0), Appended(1, 0)))
    answers: list[Recorded] = []

    async def write() -> None:
        answers.append(await record(backend, intake))

    async def answer(message: Record) -> None:
        assert message.parts is intake.parts
        message.reply.set(recorded)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await backend.record_mailbox.handle_next(answer)
    assert answers == [recorded]


async def test_a_full_recorder_costs_a_moment_and_nothing_is_taken(
    backend: Backend, autojump_clock: trio.testing.MockClock
) -> None:
    depth, began = fill(backend), trio.current_time()
    problem = await refusal(record, backend, rows(1))
    assert trio.current_time() - began == pytest.approx(0.250)
    assert (problem.status, problem.headers) == (503, {"Retry-After": "1"})
    assert problem.detail == "The recorder does not keep up. Nothing was recorded: send it again"
    statistics = backend.record_mailbox.statistics()
    assert (statistics.depth, statistics.waiting_puts) == (depth, 0)


async def test_room_that_comes_in_time_is_taken(backend: Backend, autojump_clock: trio.testing.MockClock) -> None:
    """Those before it are handled first."""
    fill(backend)
    seen: list[str] = []
    answers: list[Recorded] = []

    async def write() -> None:
        answers.append(await record(backend, rows(1)))

    async def answer(message: Record) -> None:
        seen.append(message.parts[0].name)
        message.reply.set(Recorded(1, (Appended(1, 0),)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await trio.sleep(0.249)
        while not answers:
            await backend.record_mailbox.handle_next(answer)
            await trio.testing.wait_all_tasks_blocked()
    assert seen == ["waiting", "waiting", "m0"]


async def test_a_recorder_without_an_answer_is_given_up_and_keeps_the_samples(
    backend: Backend, autojump_clock: trio.testing.MockClock
) -> None:
    began = trio.current_time()
    problem = await refusal(record, backend, rows(1))
    assert trio.current_time() - began == pytest.approx(10.0)
    assert (problem.status, problem.headers) == (503, {"Retry-After": "5"})
    assert "within 10 s. The samples wait for it" in problem.detail
    assert backend.record_mailbox.statistics().depth == 1


async def test_a_service_that_stops_takes_nothing(backend: Backend) -> None:
    backend.record_mailbox.close()
    problem = await refusal(record, backend, rows(1))
    assert (problem.status, problem.headers) == (503, {"Retry-After": "5"})
    assert problem.detail == "The service is shutting down"
    assert backend.record_mailbox.is_empty


async def test_a_service_that_stops_meanwhile_takes_nothing_either(
    backend: Backend, autojump_clock: trio.testing.MockClock
) -> None:
    depth = fill(backend)
    problems: list[Problem] = []

    async def write() -> None:
        problems.append(await refusal(record, backend, rows(1)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await trio.sleep(0.1)
        backend.record_mailbox.close()
    assert [(problem.status, problem.headers) for problem in problems] == [(503, {"Retry-After": "5"})]
    assert backend.record_mailbox.statistics().depth == depth


async def test_samples_that_were_put_aside_are_not_to_be_sent_again(backend: Backend) -> None:
    problems: list[Problem] = []

    async def write() -> None:
        problems.append(await refusal(record, backend, rows(1)))

    async def crash(message: Record) -> None:
        raise RuntimeError("boom")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        while not problems:
            with pytest.raises((RuntimeError, RepeatedCrashError)):
                await backend.record_mailbox.handle_next(crash)
            await trio.testing.wait_all_tasks_blocked()
    (problem,) = problems
    assert (problem.status, problem.headers) == (500, {})
    assert isinstance(problem.__cause__, QuarantinedError)
    assert backend.record_mailbox.is_empty


# -- durable


async def test_what_is_on_disk_already_is_not_waited_for(
    backend: Backend, autojump_clock: trio.testing.MockClock
) -> None:
    backend.progress.set_state("degraded")
    backend.progress.advance(5)
    began = trio.current_time()
    await until_durable(backend, 5, Outcome())
    assert trio.current_time() == began


async def test_the_commit_is_hurried_and_waited_for(backend: Backend, autojump_clock: trio.testing.MockClock) -> None:
    """A commit of less does not do."""
    backend.progress.set_state("on")
    ended_s: list[float] = []

    async def wait() -> None:
        await until_durable(backend, 5, Outcome())
        ended_s.append(trio.current_time())

    async def flush(message: object) -> None:
        assert message == Flush(now=True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await backend.persist_mailbox.handle_next(flush)
        began = trio.current_time()
        backend.progress.advance(4)
        await trio.sleep(9.0)
        backend.progress.advance(5)
    assert ended_s == [pytest.approx(began + 9.0)]
    assert backend.persist_mailbox.is_empty


@pytest.mark.parametrize(
    ("trouble", "why", "after_s"),
    [
        (lambda backend: None, "not committed within 10 s", 10.0),
        (lambda backend: backend.progress.set_state("off"), "persistence is off", 2.0),
        (
            lambda backend: backend.progress.set_state("degraded", "the disk is full"),
            "persistence is degraded (the disk is full)",
            2.0,
        ),
    ],
)
async def test_trouble_that_comes_meanwhile_is_told_at_once(
    backend: Backend, autojump_clock: trio.testing.MockClock, trouble: Any, why: str, after_s: float
) -> None:
    backend.progress.set_state("on")
    outcome = Outcome(accepted=3, duplicates=2, rejected=1, errors=[SampleError(4, "value: missing")])
    problems: list[Problem] = []
    ended_s: list[float] = []

    async def wait() -> None:
        problems.append(await refusal(until_durable, backend, 1, outcome))
        ended_s.append(trio.current_time())

    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(2.0)
        trouble(backend)
    assert ended_s == [pytest.approx(began + after_s)]
    (problem,) = problems
    assert (problem.status, problem.headers) == (503, {"Retry-After": "10"})
    assert json.loads(problem.encoded("/")).items() >= outcome.as_json().items()
    assert problem.detail == (f"The samples are in memory but not safe on disk: {why}. Sending them again is harmless")


async def test_a_service_that_stops_promises_no_commit(backend: Backend) -> None:
    backend.progress.set_state("on")
    backend.persist_mailbox.close()
    problem = await refusal(until_durable, backend, 1, Outcome(accepted=1))
    assert (problem.status, problem.headers["Retry-After"]) == (503, "10")
    assert "not safe on disk: the service is shutting down." in problem.detail
    assert problem.members["accepted"] == 1


@pytest.mark.parametrize(
    ("prefer", "ack", "wants"),
    [
        (["respond-async", "wait=5"], None, True),
        (["respond-async", "handling=strict"], None, False),
        (None, None, False),
        (None, "durable", True),
        (None, "memory", False),
        ("wait", None, True),
        ("Wait=5", None, True),
        ("respond-async,wait = 5;x", None, True),
        ("wait; priority=1", "memory", True),
        ("respond-async", None, False),
        ("waiting, handling=wait", None, False),
        ("", "durable", True),
    ],
)
async def test_who_asks_for_a_commit(backend: Backend, prefer: str | list[str] | None, ack: Any, wants: bool) -> None:
    query = WriteQuery(ack=ack) if ack else WriteQuery()
    headers = Headers()
    for line in [] if prefer is None else [prefer] if isinstance(prefer, str) else prefer:
        headers.add("Prefer", line)
    async with QuartTrio(__name__).test_request_context("/", headers=headers):
        backend.progress.set_state("on")
        assert wants_durable(backend, query) is wants
        backend.progress.set_state("degraded")  # until_durable says so, once the samples are in memory
        assert wants_durable(backend, query) is wants
        backend.progress.set_state("off")
        if not wants:
            assert wants_durable(backend, query) is False
            return
        with pytest.raises(Problem, match="Nothing was recorded") as caught:
            wants_durable(backend, query)
        assert caught.value.status == 409

"""Replies, the table of edges, and the halves of a Record."""

from __future__ import annotations

import numpy as np
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from actors.mailbox import Mailbox, RepeatedCrashError
from actors.messages import EDGES, Pressure, QuarantinedError, Record, Recorded, Reply
from storage.models import Appended, SeriesPart


def part(name: str, *values: float) -> SeriesPart:
    return SeriesPart(name, np.arange(len(values), dtype=np.int64), np.array(values, dtype=np.float64))


def recorded(record: Record, seq: int) -> Recorded:
    return Recorded(seq, tuple(Appended(len(part), 0) for part in record.parts))


def halves_of(record: Record) -> tuple[Record, Record]:
    halves = record.split()
    assert halves is not None
    return halves


# -- edges


def test_blocking_edges_have_no_cycle() -> None:
    waits_for: dict[str, set[str]] = {}
    for sender, receiver, pressure in EDGES:
        if pressure is Pressure.BLOCK:
            waits_for.setdefault(sender, set()).add(receiver)

    def reach(actor: str) -> set[str]:
        found: set[str] = set()
        todo = [actor]
        while todo:
            new = waits_for.get(todo.pop(), set()) - found
            found |= new
            todo += new
        return found

    assert waits_for
    assert not [actor for actor in waits_for if actor in reach(actor)]


def test_every_edge_stands_in_the_table_once_per_pressure() -> None:
    assert len(set(EDGES)) == len(EDGES)


# -- replies


async def test_a_reply_is_filled_once() -> None:
    reply: Reply[int] = Reply()
    async with trio.open_nursery() as nursery:

        async def wait() -> None:
            assert await reply.wait() == 1

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert not reply.is_answered
        reply.set(1)
        reply.set(2)
        reply.fail(ValueError("too late"))
    assert (reply.is_answered, reply.value, reply.error) == (True, 1, None)


async def test_a_failed_reply_raises() -> None:
    reply: Reply[int] = Reply()
    reply.fail(QuarantinedError("put aside"))
    reply.set(1)
    with pytest.raises(QuarantinedError, match="put aside"):
        await reply.wait()


# -- halves


def test_parts_are_halved_and_then_samples_down_to_one() -> None:
    record = Record((part("a", 1, 2, 3), part("b", 4), part("c", 5)))
    halves = record.split()
    assert halves is not None
    assert [[part.name for part in half.parts] for half in halves] == [["a"], ["b", "c"]]
    quarters = halves[0].split()
    assert quarters is not None
    assert [half.parts[0].values.tolist() for half in quarters] == [[1], [2, 3]]
    assert quarters[0].split() is None
    assert Record(()).split() is None


async def test_two_answers_make_one() -> None:
    record = Record((part("a", 1), part("b", 2, 3)))
    left, right = halves_of(record)
    right.reply.set(recorded(right, 8))
    assert not record.reply.is_answered
    left.reply.set(recorded(left, 7))
    left.reply.set(recorded(left, 99))
    assert await record.reply.wait() == Recorded(8, (Appended(1, 0), Appended(2, 0)))


async def test_a_quarantined_half_is_told_as_rejected_samples() -> None:
    record = Record((part("a", 1, 2, 3, 4),))
    left, right = halves_of(record)
    left.reply.set(Recorded(7, (Appended(1, 0, ((1, "not finite"),)),)))
    right.reply.fail(QuarantinedError("poison"))
    reason = "not processed: poison"
    assert await record.reply.wait() == Recorded(7, (Appended(1, 0, ((1, "not finite"), (2, reason), (3, reason))),))


async def test_when_both_halves_fail_so_does_the_whole() -> None:
    record = Record((part("a", 1, 2),))
    for half in halves_of(record):
        half.reply.fail(QuarantinedError("poison"))
    with pytest.raises(QuarantinedError):
        await record.reply.wait()


@given(
    batch=st.lists(st.lists(st.booleans(), min_size=1, max_size=5), min_size=1, max_size=5),
)
def test_whoever_waits_gets_one_honest_answer(batch: list[list[bool]]) -> None:
    """A batch with poison (True) at random places, worked off as a supervised recorder would."""
    record = Record(tuple(part(str(index), *flags) for index, flags in enumerate(batch)))
    box: Mailbox[Record] = Mailbox("recorder", capacity=1, pressure=Pressure.BLOCK)
    seqs = iter(range(1, 1000))

    async def handle(message: Record) -> None:
        await trio.lowlevel.checkpoint()
        if any(part.values.any() for part in message.parts):
            raise ValueError("poison")
        message.reply.set(recorded(message, next(seqs)))

    async def main() -> Recorded | None:
        box.put_nowait(record)
        box.close()
        while not box.is_empty:
            try:
                await box.run(handle)
            except (ValueError, RepeatedCrashError):
                await trio.lowlevel.checkpoint()
        try:
            return await record.reply.wait()
        except QuarantinedError:
            return None

    answer = trio.run(main)
    flags = [flag for flags in batch for flag in flags]
    if all(flags):
        assert answer is None
        return
    assert answer is not None
    assert answer.seq == next(seqs) - 1
    assert [[index for index, _ in done.rejected] for done in answer.parts] == [
        [index for index, flag in enumerate(flags) if flag] for flags in batch
    ]
    assert [done.accepted for done in answer.parts] == [flags.count(False) for flags in batch]

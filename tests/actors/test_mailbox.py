"""Mailboxes: pressure, the in-flight slot, redelivery, isolation, quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.mailbox import ISOLATION_LIMIT, QUARANTINE_KEPT, Mailbox, RepeatedCrashError
from actors.messages import Pressure, QuarantinedError, Reply


@dataclass(frozen=True, slots=True)
class Ask:
    """A message somebody waits for."""

    number: int
    reply: Reply[int] = field(default_factory=Reply)


@dataclass(frozen=True, slots=True)
class Batch:
    """A message that can be split."""

    numbers: tuple[int, ...]

    def split(self) -> Sequence[Batch] | None:
        if len(self.numbers) < 2:
            return None
        middle = len(self.numbers) // 2
        return Batch(self.numbers[:middle]), Batch(self.numbers[middle:])


def mailbox(capacity: int = 3, pressure: Pressure = Pressure.BLOCK) -> Mailbox[object]:
    return Mailbox("m", capacity=capacity, pressure=pressure)


async def drain(box: Mailbox[object]) -> list[object]:
    """What a handler that never fails gets to see."""
    seen: list[object] = []

    async def handle(message: object) -> None:
        seen.append(message)
        await trio.lowlevel.checkpoint()

    box.close()
    await box.run(handle)
    return seen


async def ignore(message: object) -> None:
    await trio.lowlevel.checkpoint()


async def hang(message: object) -> None:
    await trio.sleep_forever()


# -- pressure


async def test_messages_come_out_in_order_and_run_returns_once_closed_and_drained() -> None:
    box = mailbox()
    for number in (1, 2, 3):
        box.put_nowait(number)
    assert await drain(box) == [1, 2, 3]
    assert box.statistics().handled == 3
    assert box.statistics().depth == 0
    assert box.statistics().peak == 3


async def test_block_raises_when_full() -> None:
    box = mailbox(capacity=1)
    box.put_nowait(1)
    with pytest.raises(trio.WouldBlock):
        box.put_nowait(2)
    assert await drain(box) == [1]


async def test_put_waits_for_room_first_come_first_served() -> None:
    box = mailbox(capacity=1)
    seen: list[object] = []

    async def handle(message: object) -> None:
        seen.append(message)
        await trio.lowlevel.checkpoint()

    box.put_nowait(0)
    async with trio.open_nursery() as nursery:
        for number in (1, 2, 3):
            nursery.start_soon(box.put, number)
            await trio.testing.wait_all_tasks_blocked()
        assert box.statistics().waiting_puts == 3
        for expected in (0, 1, 2, 3):
            await box.handle_next(handle)
            if expected < 3:  # the place is kept for the one that waits longest
                with pytest.raises(trio.WouldBlock):
                    box.put_nowait("pushes in")
            await trio.testing.wait_all_tasks_blocked()
    assert seen == [0, 1, 2, 3]


async def test_a_cancelled_put_has_put_nothing() -> None:
    box = mailbox(capacity=1)
    box.put_nowait(1)
    with trio.move_on_after(0):
        await box.put(2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.put, 3)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert await drain(box) == [1]


async def test_a_closed_mailbox_refuses_and_wakes_who_waits() -> None:
    box = mailbox(capacity=1)
    await box.put(1)

    async def put_in_vain() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await box.put(2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(put_in_vain)
        await trio.testing.wait_all_tasks_blocked()
        box.close()
    with pytest.raises(trio.ClosedResourceError):
        box.put_nowait(3)
    assert await drain(box) == [1]
    with pytest.raises(trio.EndOfChannel):
        await box.handle_next(ignore)


async def test_closing_ends_a_run_that_waits() -> None:
    box = mailbox()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.run, ignore)
        await trio.testing.wait_all_tasks_blocked()
        box.close()


async def test_conflate_keeps_the_newest() -> None:
    box = mailbox(capacity=1, pressure=Pressure.CONFLATE)
    for number in (1, 2, 3):
        box.put_nowait(number)
    assert box.statistics().conflated == 2
    assert await drain(box) == [3]


async def test_conflate_merges_what_it_can_and_keeps_order_otherwise() -> None:
    def add(old: object, new: object) -> object | None:
        return old + new if isinstance(old, int) and isinstance(new, int) else None

    box: Mailbox[object] = Mailbox("m", capacity=4, pressure=Pressure.CONFLATE, conflate=add)
    for message in (1, 2, "switch", 3, 4):
        box.put_nowait(message)
    assert await drain(box) == [3, "switch", 7]


async def test_conflate_never_merges_a_message_that_is_in_flight() -> None:
    box = mailbox(capacity=1, pressure=Pressure.CONFLATE)
    box.put_nowait(1)

    async def put_more(message: object) -> None:
        box.put_nowait(2)
        await trio.lowlevel.checkpoint()

    await box.handle_next(put_more)
    assert await drain(box) == [2]


async def test_conflate_stays_bounded_between_awaited_messages() -> None:
    box = mailbox(capacity=2, pressure=Pressure.CONFLATE)
    asks = [Ask(1), Ask(2)]
    for ask in asks:
        box.put_nowait(ask)
    with pytest.raises(trio.WouldBlock):
        box.put_nowait(Ask(3))
    for number in range(10):
        box.put_nowait(number)
    assert await drain(box) == [*asks, 9]


async def test_drop_oldest_counts_what_it_drops() -> None:
    box = mailbox(capacity=2, pressure=Pressure.DROP_OLDEST)
    for number in (1, 2, 3, 4):
        box.put_nowait(number)
    assert box.statistics().dropped == 2
    assert await drain(box) == [3, 4]


async def test_drop_oldest_spares_a_message_that_somebody_waits_for() -> None:
    box = mailbox(capacity=2, pressure=Pressure.DROP_OLDEST)
    first, second = Ask(1), Ask(2)
    box.put_nowait(first)
    box.put_nowait(7)
    box.put_nowait(8)
    assert box.statistics().dropped == 1
    with pytest.raises(trio.WouldBlock):
        box.put_nowait(second)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.put, second)
        await trio.testing.wait_all_tasks_blocked()
        await box.handle_next(ignore)
        await trio.testing.wait_all_tasks_blocked()
    assert await drain(box) == [8, second]


async def test_drop_oldest_full_of_awaited_ones_drops_the_new_one() -> None:
    box = mailbox(capacity=1, pressure=Pressure.DROP_OLDEST)
    ask = Ask(1)
    box.put_nowait(ask)
    box.put_nowait(2)
    assert box.statistics().dropped == 1
    assert await drain(box) == [ask]


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Mailbox("m", capacity=0, pressure=Pressure.BLOCK)
    with pytest.raises(ValueError, match="CONFLATE"):
        Mailbox("m", capacity=1, pressure=Pressure.BLOCK, conflate=lambda old, new: new)


# -- the slot


async def test_a_crash_redelivers_the_message_before_everything_newer() -> None:
    box = mailbox()
    box.put_nowait(1)
    box.put_nowait(2)

    async def crash(message: object) -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        await box.run(crash)
    assert box.statistics().depth == 2
    assert box.statistics().failures == 1
    assert box.in_flight_age_s is None
    assert await drain(box) == [1, 2]


async def test_a_cancel_keeps_the_message_and_is_no_attempt(autojump_clock: trio.testing.MockClock) -> None:
    box = mailbox()
    box.put_nowait(1)
    for _ in range(10):
        with trio.move_on_after(1):
            await box.run(hang)
    assert box.statistics().failures == 0
    assert await drain(box) == [1]


async def test_a_cleanup_error_mixed_with_a_cancel_is_no_attempt() -> None:
    box = mailbox()
    box.put_nowait(1)
    scope = trio.CancelScope()

    async def fail_while_cancelled(message: object) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            scope.cancel()
            try:
                await trio.sleep_forever()
            finally:
                raise ValueError("cleanup")

    with pytest.RaisesGroup(pytest.RaisesExc(ValueError, match="cleanup")), scope:
        await box.run(fail_while_cancelled)
    assert box.statistics().failures == 0
    assert await drain(box) == [1]


async def test_the_third_attempt_quarantines_and_tells_who_waits() -> None:
    box = mailbox()
    ask = Ask(1)
    box.put_nowait(ask)
    box.put_nowait(2)

    async def crash(message: object) -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        await box.run(crash)
    for _ in range(2):
        with pytest.raises(RepeatedCrashError, match="boom") as caught:
            await box.run(crash)
        assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(QuarantinedError, match="3 attempts"):
        await ask.reply.wait()
    assert [(line.message, line.error) for line in box.quarantined] == [("Ask", "ValueError: boom")]
    assert box.statistics().quarantined == 1
    assert await drain(box) == [2]


async def test_a_hang_counts_as_an_attempt(autojump_clock: trio.testing.MockClock) -> None:
    box = mailbox()
    box.put_nowait(1)
    for _ in range(3):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(box.run, hang)
                await trio.sleep(30)
                assert box.in_flight_age_s == 30
                box.count_hang()
                scope.cancel()
    assert box.statistics().quarantined == 1
    assert box.quarantined[0].error.startswith("HungError")
    assert await drain(box) == []


async def test_a_handler_that_waits_knowingly_is_not_old(autojump_clock: trio.testing.MockClock) -> None:
    box = mailbox()
    box.touch()  # nothing in flight: nothing happens
    box.count_hang()
    box.put_nowait(1)

    async def handle(message: object) -> None:
        await trio.sleep(20)
        box.touch()
        await trio.sleep(15)
        assert box.in_flight_age_s == 15

    await box.handle_next(handle)
    assert box.in_flight_age_s is None


async def test_one_consumer_at_a_time() -> None:
    box = mailbox()
    box.put_nowait(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.run, hang)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await box.run(ignore)
        nursery.cancel_scope.cancel()


async def test_the_list_of_quarantined_is_bounded() -> None:
    box: Mailbox[object] = Mailbox("m", capacity=100, pressure=Pressure.BLOCK, max_attempts=1)
    for number in range(QUARANTINE_KEPT + 5):
        box.put_nowait(number)

    async def crash(message: object) -> None:
        await trio.lowlevel.checkpoint()
        raise ValueError(message)

    for _ in range(QUARANTINE_KEPT + 5):
        with pytest.raises(ValueError):
            await box.run(crash)
    assert len(box.quarantined) == QUARANTINE_KEPT
    assert box.quarantined[-1].error == f"ValueError: {QUARANTINE_KEPT + 4}"
    assert box.statistics().quarantined == QUARANTINE_KEPT + 5


# -- isolation


async def until_done(box: Mailbox[object], poison: frozenset[int]) -> tuple[list[int], int]:
    """Run a handler that chokes on `poison` as often as it takes. Returns what got through, and the crashes."""
    seen: list[int] = []

    async def handle(message: object) -> None:
        assert isinstance(message, Batch)
        await trio.lowlevel.checkpoint()
        if poison.intersection(message.numbers):
            raise ValueError("poison")
        seen.extend(message.numbers)

    await trio.lowlevel.checkpoint()
    box.close()
    crashes = 0
    while not box.is_empty:
        try:
            await box.run(handle)
        except (ValueError, RepeatedCrashError):
            crashes += 1
    return seen, crashes


async def test_one_poison_sample_does_not_condemn_its_neighbours() -> None:
    box = mailbox()
    box.put_nowait(Batch(tuple(range(1000))))
    box.put_nowait(Batch((5000,)))
    seen, crashes = await until_done(box, frozenset({333}))
    assert seen == [number for number in (*range(1000), 5000) if number != 333]
    assert box.statistics().quarantined == 1
    assert crashes <= 3 + 10 + 3


async def test_a_batch_of_nothing_but_poison_ends_soon() -> None:
    box = mailbox()
    box.put_nowait(Batch(tuple(range(10_000))))
    seen, crashes = await until_done(box, frozenset(range(10_000)))
    assert seen == []
    assert crashes < ISOLATION_LIMIT + 20


@dataclass(frozen=True, slots=True)
class Unsplittable(Batch):
    def split(self) -> None:
        return None


Trouble = st.lists(st.sampled_from(["ok", "crash", "cancel", "late cancel"]), max_size=60)


@settings(max_examples=150, deadline=None)
@given(
    batches=st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=8), max_size=8),
    poison=st.frozensets(st.integers(0, 40), max_size=6),
    trouble=Trouble,
    capacity=st.integers(1, 3),
    whole=st.booleans(),
)
def test_every_message_is_handled_or_quarantined_in_order(
    batches: list[list[int]], poison: frozenset[int], trouble: list[str], capacity: int, whole: bool
) -> None:
    """Under random crashes and cancels of the consumer; samples that are not poison get through, once handled."""
    numbered = [[(index, number) for number in batch] for index, batch in enumerate(batches)]
    everything = [sample for batch in numbered for sample in batch]
    kind = Unsplittable if whole else Batch
    box: Mailbox[object] = Mailbox("m", capacity=capacity, pressure=Pressure.BLOCK)
    handled: list[tuple[int, int]] = []
    plan = iter(trouble)

    async def handle(message: object) -> None:
        assert isinstance(message, Batch)
        samples: list[tuple[int, int]] = list(message.numbers)  # type: ignore[arg-type]
        event = next(plan, "ok")
        if event == "cancel":
            scopes[-1].cancel()
            await trio.lowlevel.checkpoint()
        await trio.lowlevel.checkpoint()
        if event == "crash" and len(handled) % 2:
            raise KeyError("at random")
        if any(number in poison for _, number in samples):
            raise ValueError("poison")
        handled.extend(samples)
        if event == "late cancel":
            scopes[-1].cancel()

    scopes: list[trio.CancelScope] = []

    async def consume() -> None:
        while not (box.is_empty and box.statistics().closed):
            scopes[:] = [trio.CancelScope()]
            try:
                with scopes[-1]:
                    await box.run(handle)
            except (ValueError, KeyError, RepeatedCrashError):
                await trio.lowlevel.checkpoint()

    async def produce() -> None:
        for batch in numbered:
            await box.put(kind(tuple(batch)))  # type: ignore[arg-type]
        box.close()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce)
            nursery.start_soon(consume)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    statistics = box.statistics()
    assert statistics.depth == 0
    assert handled == [sample for sample in everything if sample in set(handled)]  # order, and no repeats
    assert not any(number in poison for _, number in handled)
    if "crash" not in trouble:  # random crashes may condemn innocents, too
        lost = [sample for sample in everything if sample not in set(handled)]
        if whole:
            assert {index for index, _ in lost} == {i for i, b in enumerate(batches) if poison.intersection(b)}
        else:
            assert all(number in poison for _, number in lost)
            assert statistics.quarantined == len(lost)

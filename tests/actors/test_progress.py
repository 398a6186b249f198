"""How far persistence has come."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from actors.progress import STEPS_KEPT, NotPersisting, Progress
from storage.models import PersistenceState


def switched_on() -> Progress:
    progress = Progress()
    progress.set_state("on")
    return progress


def test_the_backlog_is_what_is_recorded_and_not_durable() -> None:
    progress = switched_on()
    progress.recorded(10, seq=1)
    progress.recorded(5, seq=2)
    progress.recorded(0, seq=3)
    assert progress.backlog == 15
    progress.advance(1)
    assert progress.backlog == 5
    progress.advance(0)
    assert progress.persisted_up_to == 1
    progress.advance(9)
    assert (progress.backlog, progress.persisted_up_to) == (0, 9)


def test_nothing_counts_while_it_is_off() -> None:
    progress = Progress()
    progress.recorded(10, seq=1)
    assert progress.backlog == 0
    progress.set_state("starting")
    progress.recorded(10, seq=2)
    assert progress.backlog == 10
    progress.set_state("off")
    assert progress.backlog == 0


def test_it_stays_small_however_long_the_disk_is_away() -> None:
    progress = switched_on()
    progress.set_state("degraded", "full")
    count = 10 * STEPS_KEPT + 3
    for seq in range(1, count + 1):
        progress.recorded(2, seq=seq)
    assert progress.backlog == 2 * count
    assert len(progress._steps) <= STEPS_KEPT
    progress.advance(count // 2)
    assert progress.backlog >= 2 * (count - count // 2)  # coarse, and never understated
    progress.advance(count)
    assert progress.backlog == 0


async def test_waiting_for_what_is_durable_already() -> None:
    progress = Progress()
    progress.advance(3)
    await progress.wait_for(3)  # even though it is off


async def test_waiting_ends_with_the_commit() -> None:
    progress = switched_on()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(progress.wait_for, 2)
        progress.advance(1)
        await trio.testing.wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        progress.advance(2)
    progress.committed(77)
    assert progress.last_commit_ms == 77


@pytest.mark.parametrize("state", ["off", "degraded"])
async def test_waiting_ends_as_soon_as_nothing_can_be_promised(state: PersistenceState) -> None:
    progress = Progress()
    progress.set_state("starting")

    async def wait() -> None:
        with pytest.raises(NotPersisting, match=f"persistence is {state}: because") as caught:
            await progress.wait_for(1)
        assert (caught.value.state, caught.value.reason) == (state, "because")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        progress.set_state(state, "because")
    with pytest.raises(NotPersisting):
        await progress.wait_for(1)


async def test_ingest_waits_for_room_only_while_the_disk_works() -> None:
    progress = switched_on()
    progress.recorded(10, seq=1)
    await progress.wait_for_room(11)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(progress.wait_for_room, 10)
        await trio.testing.wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        progress.advance(1)
    progress.recorded(10, seq=2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(progress.wait_for_room, 10)
        await trio.testing.wait_all_tasks_blocked()
        progress.set_state("degraded", "full")


async def test_starting_over_makes_everything_wait_again(autojump_clock):
    progress = Progress()
    progress.set_state("on")
    progress.advance(7)
    progress.start_over()
    assert progress.persisted_up_to < 0
    with trio.move_on_after(1) as scope:
        await progress.wait_for(3)
    assert scope.cancelled_caught
    progress.advance(3)
    await progress.wait_for(3)

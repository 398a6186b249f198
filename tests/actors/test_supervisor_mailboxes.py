"""Supervision of children with a mailbox: what hangs, what is poison, what a stop drains."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import pytest
import trio
import trio.testing

from actors.mailbox import Mailbox
from actors.messages import Pressure
from actors.supervisor import ChildSpec, Escalation, Strategy, Supervisor
from tests.fakes.supervised import Clock, Journal, after, board, error, fake, run_for


def consumer(box: Mailbox[int], handler: Callable[[int], Awaitable[None]], **options: Any) -> ChildSpec:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await box.run(handler)

    return ChildSpec(name="a", run=run, mailbox=box, **{"jitter": 0.0, "stop": box.close, **options})


def box_of(*messages: int) -> Mailbox[int]:
    box: Mailbox[int] = Mailbox("box", capacity=10, pressure=Pressure.BLOCK)
    for message in messages:
        box.put_nowait(message)
    return box


async def test_a_hung_message_is_a_crash_and_comes_again_until_it_is_quarantined(autojump_clock: Clock) -> None:
    box, health, starts = box_of(1, 2), board(), Journal()

    async def handle(message: int) -> None:
        starts.note(str(message))
        if message == 1:
            await trio.sleep_forever()

    await run_for(Supervisor("s", [consumer(box, handle)], board=health), 200)
    assert [(round(at, 1), what) for at, what in starts] == [(0, "1"), (30.2, "1"), (60.6, "1"), (91.4, "2")]
    assert health.snapshot()["a"].last_error == "hung: 30.0 s on one message"
    assert health.snapshot()["a"].restarts == 3
    assert box.statistics().quarantined == 1


@pytest.mark.parametrize("with_mailbox", [False, True])
async def test_work_beside_the_mailbox_that_hangs_is_a_crash_and_blames_no_message(
    autojump_clock: Clock, with_mailbox: bool
) -> None:
    since: list[float] = []
    box, health = box_of(), board()

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        since[:] = [trio.current_time()]
        task_status.started()
        await trio.sleep_forever()

    spec = ChildSpec(
        name="a", run=run, jitter=0.0, hung_after_s=10, mailbox=box if with_mailbox else None,
        busy_s=lambda: trio.current_time() - since[0] if since else None,
    )  # fmt: skip
    await run_for(Supervisor("s", [spec], board=health), 15)
    assert health.snapshot()["a"].restarts == 1
    assert health.snapshot()["a"].last_error == "hung: 10.0 s on one piece of work"
    assert box.statistics().failures == 0


async def test_a_message_that_arrives_between_two_looks_is_ended_on_time(autojump_clock: Clock) -> None:
    box, starts = box_of(), Journal()

    async def handle(message: int) -> None:
        starts.note(str(message))
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        supervisor = Supervisor("s", [consumer(box, handle)])
        await nursery.start(supervisor.run)
        await trio.sleep(17)
        await box.put(1)
        await trio.sleep(31)
        assert starts == [(17, "1"), (47.2, "1")]
        supervisor.shut_down()


async def test_one_poison_message_counts_once(autojump_clock: Clock) -> None:
    """Three attempts at each of five messages: 15 crashes, of which five say something about the actor."""
    box, health = box_of(1, 2, 3, 4, 5, 6), board()

    async def handle(message: int) -> None:
        await trio.lowlevel.checkpoint()
        if message < 6:
            raise error()

    await run_for(Supervisor("s", [consumer(box, handle)], board=health), 50)
    assert box.statistics().quarantined == 5
    assert box.statistics().handled == 1
    assert health.snapshot()["a"].restarts == 15


async def test_an_actor_that_chokes_on_everything_escalates(autojump_clock: Clock) -> None:
    box = box_of(*range(10))

    async def handle(message: int) -> NoReturn:
        await trio.lowlevel.checkpoint()
        raise error()

    async def handle_in_a_group(message: int) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(handle, message)

    with pytest.raises(Escalation):
        await Supervisor("s", [consumer(box, handle_in_a_group)]).run()
    assert box.statistics().quarantined == 5


async def test_a_stop_drains_the_mailbox_even_across_a_crash(autojump_clock: Clock) -> None:
    box, handled = box_of(1, 2, 3, 4), []
    crashes = iter([error()])

    async def handle(message: int) -> None:
        await trio.sleep(1)
        if message == 2:
            for crash in crashes:
                raise crash
        handled.append(message)

    await run_for(Supervisor("s", [consumer(box, handle, stop_within_s=10)]), 0.5)
    assert handled == [1, 2, 3, 4]


async def test_a_stop_drains_the_mailbox_of_a_child_in_its_backoff(autojump_clock: Clock) -> None:
    box, handled = box_of(1, 2), []
    crashes = iter([error()])

    async def handle(message: int) -> None:
        await trio.lowlevel.checkpoint()
        for crash in crashes:
            raise crash
        handled.append(message)

    await run_for(Supervisor("s", [consumer(box, handle)]), 0.1)
    assert handled == [1, 2]


async def test_a_stop_drains_even_when_what_it_is_built_upon_crashes(autojump_clock: Clock) -> None:
    journal, box, handled = Journal(), box_of(1, 2, 3, 4), []

    async def handle(message: int) -> None:
        await trio.sleep(1)
        handled.append(message)

    children = [fake("base", journal, [after(2.5, error())]), consumer(box, handle, stop_within_s=20)]
    await run_for(Supervisor("s", children, strategy=Strategy.REST_FOR_ONE), 0.5)
    assert handled == [1, 2, 3, 4]
    assert len(journal.times("base starts")) == 2


async def test_a_mailbox_survives_every_restart(autojump_clock: Clock) -> None:
    box, handled, chance = box_of(), [], random.Random(7)

    async def handle(message: int) -> None:
        await trio.sleep(0.01)
        handled.append(message)

    supervisor = Supervisor("s", [consumer(box, handle)])
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        for message in range(500):
            await box.put(message)
            if chance.random() < 0.2:
                supervisor.restart("a")
        supervisor.shut_down()
    assert handled == list(range(500))

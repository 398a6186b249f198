"""Rounds: one at a time, by the clock and when asked; errors are the actor's; closing ends both ways."""

from __future__ import annotations

import pytest
import trio

from actors.mailbox import Mailbox
from actors.messages import Analyze, Pressure
from actors.rounds import Rounds


class Walker:
    """Counts rounds, how many went on at once, and takes `takes_s` for each."""

    def __init__(self, interval_s: float, takes_s: float = 0.0) -> None:
        self.mailbox: Mailbox[Analyze] = Mailbox("walker", capacity=4, pressure=Pressure.DROP_OLDEST)
        self.rounds: Rounds[Analyze, int] = Rounds(
            self.mailbox,
            handle=self._handle,
            look=self._look,
            interval_s=interval_s,
            wanted=lambda: self.wanted,
        )
        self.done = self.at_once = self.most = 0
        self.takes_s = takes_s
        self.wanted = True
        self.error: Exception | None = None

    async def _handle(self, message: Analyze) -> None:
        await self.rounds.make()

    async def _look(self) -> int:
        if self.error is not None:
            raise self.error
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await trio.sleep(self.takes_s)
        self.at_once -= 1
        self.done += 1
        return self.done


async def test_rounds_by_the_clock(nursery, autojump_clock):
    walker = Walker(10, takes_s=1)
    await nursery.start(walker.rounds.run)
    await trio.sleep(33.5)  # rounds begin at 10, 21 and 32
    assert walker.done == 3


async def test_the_first_round_comes_a_minute_after_the_start(nursery, autojump_clock):
    walker = Walker(900)
    await nursery.start(walker.rounds.run)
    await trio.sleep(61)
    assert walker.done == 1
    await trio.sleep(890)
    assert walker.done == 1
    await trio.sleep(10)
    assert walker.done == 2


async def test_unwanted_rounds_are_left_out_but_not_those_asked_for(nursery, autojump_clock):
    walker = Walker(10)
    walker.wanted = False
    await nursery.start(walker.rounds.run)
    await trio.sleep(35)
    assert walker.done == 0
    walker.mailbox.put_nowait(Analyze())
    await trio.sleep(1)
    assert walker.done == 1
    walker.wanted = True
    await trio.sleep(5)  # the next turn of the clock
    assert walker.done == 2


async def test_a_message_asks_for_one_at_once_and_never_for_two_at_a_time(nursery, autojump_clock):
    walker = Walker(5, takes_s=4)
    await nursery.start(walker.rounds.run)
    await trio.sleep(4)
    walker.mailbox.put_nowait(Analyze())
    walker.mailbox.put_nowait(Analyze())
    await trio.sleep(20)
    assert walker.most == 1
    assert walker.done >= 4


async def test_make_hands_back_what_the_round_found(autojump_clock):
    assert [await Walker(5).rounds.make()] == [1]


async def test_an_error_by_the_clock_is_the_actors_error(autojump_clock):
    walker = Walker(5)
    walker.error = ValueError("poison")
    with pytest.RaisesGroup(pytest.RaisesExc(ValueError, match="poison")):
        await walker.rounds.run()


async def test_it_ends_when_the_mailbox_is_closed_and_handled(nursery, autojump_clock):
    walker = Walker(1000)
    walker.mailbox.put_nowait(Analyze())
    walker.mailbox.close()
    with trio.fail_after(5):
        await walker.rounds.run()
    assert walker.done == 1


async def test_a_round_that_was_cancelled_leaves_no_lock_behind(nursery, autojump_clock):
    walker = Walker(1000, takes_s=50)
    with trio.move_on_after(10):
        walker.mailbox.put_nowait(Analyze())
        await walker.rounds.run()
    await nursery.start(walker.rounds.run)  # the message is delivered again
    with trio.fail_after(60):
        await trio.sleep(51)
    assert walker.done == 1

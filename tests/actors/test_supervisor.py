"""Supervision, line by line of its contract, under a clock that jumps."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.health import ActorHealth
from actors.supervisor import Beyond, ChildSpec, Escalation, Restart, Strategy, Supervisor
from tests.fakes.supervised import Act, Clock, Journal, after, board, error, fake, run_for

# -- 1, 2: which children go together


def test_two_children_of_one_name_are_refused() -> None:
    spec = ChildSpec(name="x", run=trio.sleep_forever)
    with pytest.raises(ValueError, match="same name"):
        Supervisor("s", [spec, spec])


def test_nothing_is_built_upon_a_child_that_may_park() -> None:
    parks = ChildSpec(name="p", run=trio.sleep_forever, beyond=Beyond.PARK)
    last = ChildSpec(name="q", run=trio.sleep_forever)
    with pytest.raises(ValueError, match="only the last"):
        Supervisor("s", [parks, last], strategy=Strategy.REST_FOR_ONE)
    Supervisor("s", [last, parks], strategy=Strategy.REST_FOR_ONE)


# -- 1, 8: restarts, backoff, intensity


async def test_backoff_doubles_and_starts_anew_when_stable(autojump_clock: Clock) -> None:
    journal = Journal()
    lives: list[Act | BaseException] = [error(), error(), error(), after(60, error()), error()]
    await run_for(Supervisor("s", [fake("a", journal, lives)]), 100)
    assert journal.times("a starts") == [0, 0.2, 0.6, 1.4, 61.6, 62.0]


async def test_backoff_goes_on_doubling_when_not_stable_for_long_enough(autojump_clock: Clock) -> None:
    journal = Journal()
    await run_for(Supervisor("s", [fake("a", journal, [error(), after(59, error())])]), 100)
    assert journal.times("a starts") == [0, 0.2, 59.6]


async def test_backoff_has_a_ceiling_however_long_it_goes_on(autojump_clock: Clock) -> None:
    journal = Journal()
    spec = fake("a", journal, rest=after(20, error()), backoff_s=1, backoff_max_s=4, intensity=3)
    await run_for(Supervisor("s", [spec]), 3 * 3600)
    starts = journal.times("a starts")
    assert len(starts) > 400
    assert {round(b - a, 3) for a, b in itertools.pairwise(starts[3:])} == {24}


async def test_jitter_spreads_the_backoff(autojump_clock: Clock) -> None:
    delays = []
    for seed in range(50):
        journal = Journal()
        spec = fake("a", journal, [error()], jitter=0.2)
        await run_for(Supervisor("s", [spec], rng=random.Random(seed)), 1)
        delays.append(journal.times("a starts")[1])
    assert 0.16 <= min(delays) < 0.17
    assert 0.23 < max(delays) <= 0.24


@pytest.mark.parametrize(
    ("restart", "life", "starts"),
    [
        (Restart.PERMANENT, None, 2),
        (Restart.PERMANENT, error(), 2),
        (Restart.TRANSIENT, None, 1),
        (Restart.TRANSIENT, error(), 2),
        (Restart.TEMPORARY, None, 1),
        (Restart.TEMPORARY, error(), 1),
    ],
)
async def test_who_is_restarted(autojump_clock: Clock, restart: Restart, life: ValueError | None, starts: int) -> None:
    journal, health = Journal(), board()
    lives: list[Act | BaseException | None] = [life]
    spec = fake("a", journal, lives, restart=restart)
    await run_for(Supervisor("s", [spec, fake("b", journal)], board=health), 5)
    assert journal.names().count("a starts") == starts
    assert journal.names().count("b starts") == 1
    assert health.snapshot()["a"].restarts == starts - 1


async def test_beyond_intensity_it_escalates_after_an_orderly_stop(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()
    children = [fake("a", journal), fake("b", journal, rest=after(1, error())), fake("c", journal)]
    supervisor = Supervisor("s", children, board=health)
    with pytest.raises(Escalation, match="6 crashes within 60 s, the last: ValueError: boom") as caught:
        await supervisor.run()
    assert (caught.value.child, caught.value.stuck) == ("b", False)
    assert isinstance(caught.value.__cause__, ValueError)
    assert len(journal.times("b starts")) == 6
    assert journal.names()[-2:] == ["c ends", "a ends"]
    assert {name: actor.state for name, actor in health.snapshot().items()} == dict.fromkeys("abc", "stopped")


@settings(max_examples=60, deadline=None)
@given(
    lives=st.lists(st.sampled_from([0, 0, 0.5, 3, 9, 20, 70]), max_size=25),
    intensity=st.integers(0, 4),
    period_s=st.sampled_from([45, 60]),
    stable_s=st.sampled_from([5, 60]),
)
def test_it_escalates_exactly_when_a_window_holds_more_than_intensity_crashes(
    lives: list[float], intensity: int, period_s: float, stable_s: float
) -> None:
    now_s, backoff_s, crashes, expected = 0.0, 0.2, [], None
    for life in lives:
        now_s += life
        crashes.append(now_s)
        if len([at for at in crashes if at > now_s - period_s]) > intensity:
            expected = len(crashes)
            break
        if life >= stable_s:
            backoff_s = 0.2
        now_s += backoff_s
        backoff_s = min(backoff_s * 2, 30)

    async def main() -> int | None:
        journal = Journal()
        options: dict[str, Any] = {"intensity": intensity, "period_s": period_s, "stable_s": stable_s}
        spec = fake("a", journal, [after(life, error()) for life in lives], **options)
        has_escalated = False
        try:
            await run_for(Supervisor("s", [spec]), 3000)
        except* Escalation:
            has_escalated = True
        return len(journal.times("a starts")) if has_escalated else None

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == expected


@settings(max_examples=40, deadline=None)
@given(
    intensity=st.integers(0, 8),
    period_s=st.floats(1, 100),
    backoff_s=st.floats(0, 5),
    factor=st.floats(1, 4),
    jitter=st.floats(0, 0.9),
    ready_within_s=st.floats(0.1, 20),
    never_ready=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_no_spec_that_is_accepted_restarts_a_hopeless_child_for_ever(
    seed: int, never_ready: bool, **numbers: Any
) -> None:
    numbers["backoff_factor"] = numbers.pop("factor")

    async def main() -> None:
        journal = Journal()
        ready_after = 1000 if never_ready else 0
        try:
            spec = fake("a", journal, rest=after(0, error()), ready_after=ready_after, **numbers)
        except ValueError:
            return
        with pytest.raises(Escalation):
            await Supervisor("s", [spec], rng=random.Random(seed)).run()
        assert len(journal.times("a starts")) == numbers["intensity"] + 1

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


async def test_nothing_grows_over_days(autojump_clock: Clock) -> None:
    journal = Journal()
    spec = fake("a", journal, rest=after(11, error()), beyond=Beyond.PARK, intensity=2)
    supervisor = Supervisor("s", [spec, fake("b", journal)])
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        await trio.sleep(3600)
        tasks = trio.lowlevel.current_statistics().tasks_living
        for _ in range(7):
            await trio.sleep(6 * 3600)
            assert len(supervisor._children[0].crashes) <= 3
            assert abs(trio.lowlevel.current_statistics().tasks_living - tasks) <= 1  # "a" runs or not
        supervisor.shut_down()
    assert len(journal.times("a starts")) > 1_000


# -- 8: parked


async def test_beyond_intensity_it_may_park_and_is_tried_again_later(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()
    spec = fake("a", journal, [error()] * 3 + [None] * 3, beyond=Beyond.PARK, intensity=2)
    supervisor = Supervisor("s", [spec, fake("b", journal)], board=health)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)  # a parked child does not hold up readiness
        assert health.snapshot()["a"].state == "parked"
        assert journal.times("b ready") == [0.6]
        await trio.sleep(299)
        assert health.snapshot()["a"].state == "parked"
        await trio.sleep(1.7)  # with a clean sheet: three more crashes until it is parked again
        assert health.snapshot()["a"].state == "parked"
        await trio.sleep(300)
        assert health.snapshot()["a"].state == "running"
        supervisor.shut_down()
    assert journal.times("a starts") == [0, 0.2, 0.6, 300.6, 300.8, 301.2, 601.2]
    assert journal.names().count("b starts") == 1


async def test_a_parked_child_can_be_tried_at_once(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()
    spec = fake("a", journal, [error()], beyond=Beyond.PARK, intensity=0)
    supervisor = Supervisor("s", [spec], board=health)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        supervisor.restart("a")
        await trio.sleep(1)
        assert health.snapshot()["a"].state == "running"
        supervisor.shut_down()


async def test_a_parked_child_does_not_hold_up_the_stop(autojump_clock: Clock) -> None:
    journal = Journal()
    spec = fake("a", journal, [error()], beyond=Beyond.PARK, intensity=0, stop=lambda: None)
    await run_for(Supervisor("s", [spec]), 10)
    assert trio.current_time() - journal.begin_s == 10


async def test_a_restart_by_hand_is_no_crash(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()
    supervisor = Supervisor("s", [fake("a", journal), fake("b", journal)], board=health)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        for _ in range(20):
            supervisor.restart("a")
            await trio.sleep(0.1)
        assert health.snapshot()["a"].restarts == 20
        assert health.snapshot()["a"].last_error is None
        with pytest.raises(KeyError):
            supervisor.restart("nobody")
        supervisor.shut_down()
    assert journal.names().count("b starts") == 1


# -- 2: strategies


async def test_one_for_one_leaves_the_others_alone(autojump_clock: Clock) -> None:
    journal = Journal()
    children = [fake("a", journal), fake("b", journal, [after(1, error())]), fake("c", journal)]
    await run_for(Supervisor("s", children), 5)
    assert [name for name in journal.names() if name.endswith("starts")] == [
        "a starts",
        "b starts",
        "c starts",
        "b starts",
    ]


async def test_rest_for_one_restarts_those_that_came_after_in_order(autojump_clock: Clock) -> None:
    journal = Journal()
    children = [
        fake("a", journal),
        fake("b", journal, [after(1, error())], ready_after=0.5),
        fake("c", journal),
        fake("d", journal),
    ]
    supervisor = Supervisor("s", children, strategy=Strategy.REST_FOR_ONE)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        journal.clear()
        await trio.sleep(5)
        assert journal == [
            (1.5, "b ends"),
            (1.5, "d ends"),
            (1.5, "c ends"),
            (1.7, "b starts"),
            (2.2, "b ready"),
            (2.2, "c starts"),
            (2.2, "c ready"),
            (2.2, "d starts"),
            (2.2, "d ready"),
        ]
        supervisor.shut_down()


async def test_rest_for_one_a_crash_while_others_are_held(autojump_clock: Clock) -> None:
    """ "a" goes down while "b" is in its backoff: "b" and "c" wait for "a" to be up again."""
    journal = Journal()
    children = [
        fake("a", journal, [after(1.1, error())], ready_after=1),
        fake("b", journal, [after(1, error())]),
        fake("c", journal),
    ]
    await run_for(Supervisor("s", children, strategy=Strategy.REST_FOR_ONE), 10)
    assert journal.times("b ends")[0] == 2.0
    assert journal.times("a ends")[0] == 2.1
    assert journal.times("a ready") == [1.0, 3.3]
    assert journal.times("b starts") == [1.0, 3.3]
    assert journal.times("c starts") == [1.0, 3.3]


async def test_rest_for_one_does_not_restart_temporary_ones_and_minds_no_finished_ones(autojump_clock: Clock) -> None:
    journal = Journal()
    children = [
        fake("job", journal, [None], restart=Restart.TRANSIENT),
        fake("a", journal, [after(1, error())]),
        fake("t", journal, restart=Restart.TEMPORARY),
        fake("b", journal),
    ]
    await run_for(Supervisor("s", children, strategy=Strategy.REST_FOR_ONE), 5)
    starts = {name: journal.names().count(f"{name} starts") for name in ("job", "a", "t", "b")}
    assert starts == {"job": 1, "a": 2, "t": 1, "b": 2}


# -- 3: start and stop


async def test_they_start_in_order_each_when_the_one_before_is_ready_and_stop_in_reverse(autojump_clock: Clock) -> None:
    journal = Journal()
    children = [fake(name, journal, ready_after=1) for name in "abc"]
    supervisor = Supervisor("s", children)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        journal.note("supervisor ready")
        supervisor.shut_down()
    assert journal == [
        (0, "a starts"),
        (1, "a ready"),
        (1, "b starts"),
        (2, "b ready"),
        (2, "c starts"),
        (3, "c ready"),
        (3, "supervisor ready"),
        (3, "c ends"),
        (3, "b ends"),
        (3, "a ends"),
    ]


async def test_a_child_that_is_not_ready_in_time_has_crashed(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()
    spec = fake("a", journal, ready_after=20, intensity=1)
    with pytest.raises(Escalation, match="not ready within 10 s"):
        await Supervisor("s", [spec, fake("b", journal)], board=health).run()
    assert journal.times("a starts") == [0, 10.2]
    assert journal.times("b starts") == []
    assert health.snapshot()["a"].last_error == "not ready within 10 s"


async def test_a_crash_before_readiness_holds_the_next_one_back(autojump_clock: Clock) -> None:
    journal = Journal()
    await run_for(Supervisor("s", [fake("a", journal, [error(), error()]), fake("b", journal)]), 5)
    assert journal.times("a starts") == [0, 0.2, 0.6]
    assert journal.times("b starts") == [0.6]


async def test_a_child_that_says_ready_twice_crashes(autojump_clock: Clock) -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        task_status.started()
        await trio.sleep_forever()

    with pytest.raises(Escalation, match="called twice"):
        await Supervisor("s", [ChildSpec(name="a", run=run, intensity=0)]).run()


async def test_a_graceful_stop_waits_for_each_in_turn(autojump_clock: Clock) -> None:
    journal = Journal()
    leave = {name: trio.Event() for name in "ab"}

    def orderly(name: str) -> ChildSpec:
        async def rest() -> None:
            await leave[name].wait()
            await trio.sleep(2)

        return fake(name, journal, rest=rest, stop=leave[name].set)

    await run_for(Supervisor("s", [orderly("a"), orderly("b")]), 10)
    assert journal.times("b ends") == [12]
    assert journal.times("a ends") == [14]


async def test_past_the_deadline_a_stopping_child_is_cancelled(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()
    await run_for(Supervisor("s", [fake("a", journal, stop=lambda: None)], board=health), 10)
    assert journal.times("a ends") == [15]
    assert health.snapshot()["a"].state == "stopped"


async def test_a_stop_that_raises_does_not_keep_the_others_from_their_end(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()

    def fail() -> None:
        raise ValueError("cannot")

    await run_for(Supervisor("s", [fake("a", journal), fake("b", journal, stop=fail)], board=health), 10)
    assert journal[-2:] == [(10, "b ends"), (10, "a ends")]
    assert health.snapshot()["b"].last_error == "ValueError: cannot"


async def test_a_stop_interrupts_a_start(autojump_clock: Clock) -> None:
    journal = Journal()
    await run_for(Supervisor("s", [fake("a", journal, ready_after=9, stop=lambda: None), fake("b", journal)]), 1)
    assert journal == [(0, "a starts"), (1, "a ends")]


async def test_a_stop_interrupts_a_backoff(autojump_clock: Clock) -> None:
    journal = Journal()
    spec = fake("a", journal, [error()], backoff_s=8, intensity=1, stop=lambda: None)
    await run_for(Supervisor("s", [spec]), 1)
    assert journal == [(0, "a starts"), (0, "a ends")]
    assert trio.current_time() - journal.begin_s == 1


async def test_a_crash_in_anothers_backoff_is_handled_at_once(autojump_clock: Clock) -> None:
    journal = Journal()
    children = [
        fake("a", journal, [after(1, error())], backoff_s=8, intensity=1),
        fake("b", journal, [after(2, error())], backoff_s=1, intensity=1),
    ]
    await run_for(Supervisor("s", children), 20)
    assert journal.times("a starts") == [0, 9]
    assert journal.times("b starts") == [0, 3]


async def test_a_stop_that_was_asked_for_before_the_beginning_counts(autojump_clock: Clock) -> None:
    journal = Journal()
    supervisor = Supervisor("s", [fake("a", journal), fake("b", journal, ready_after=1)])
    supervisor.shut_down()
    await supervisor.run()
    assert journal.times("b ready") == []
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)  # once
        supervisor.shut_down()
    assert journal.times("b ready") == [1]


async def test_it_can_run_again_after_its_end(autojump_clock: Clock) -> None:
    journal = Journal()
    supervisor = Supervisor("s", [fake("a", journal, rest=after(1, error()), intensity=0)])
    for _ in range(2):
        with pytest.raises(Escalation):
            await supervisor.run()
    assert journal.times("a starts") == [0, 1]


# -- 8: what cannot be stopped


class Stubborn:
    """Ignores its cancel until the test lets it go."""

    def __init__(self) -> None:
        self.released = trio.Event()

    async def __call__(self) -> None:
        with trio.CancelScope(shield=True):
            await self.released.wait()


@pytest.fixture
async def stubborn() -> AsyncIterator[Stubborn]:
    await trio.lowlevel.checkpoint()
    stubborn = Stubborn()
    yield stubborn
    stubborn.released.set()


async def test_a_child_that_ignores_its_cancel_escalates(autojump_clock: Clock, stubborn: Stubborn) -> None:
    journal, health = Journal(), board()
    children = [fake("a", journal), fake("b", journal, rest=stubborn, stop=lambda: None)]
    with pytest.RaisesGroup(pytest.RaisesExc(Escalation, check=lambda e: e.child == "b" and e.stuck)):
        await run_for(Supervisor("s", children, board=health), 10)
    assert journal.times("a ends") == [20]  # 5 s to obey `stop`, 5 s to obey the cancel, then the others
    assert health.snapshot()["b"].state == "stuck"


async def test_cancelling_a_supervisor_cancels_its_children_at_once(autojump_clock: Clock) -> None:
    journal = Journal()
    children = [fake(name, journal, stop=lambda: None) for name in "ab"]
    with trio.move_on_after(10):
        await Supervisor("s", children).run()
    assert journal.times("a ends") == journal.times("b ends") == [10]


async def test_cancelling_a_supervisor_waits_for_slow_children(autojump_clock: Clock) -> None:
    journal = Journal()

    async def slow() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(3, shield=True):
                await trio.sleep_forever()

    with trio.move_on_after(10):
        await Supervisor("s", [fake("a", journal, rest=slow)]).run()
    assert journal.times("a ends") == [13]
    assert trio.current_time() - journal.begin_s == 13


async def test_cancelling_a_supervisor_with_a_stuck_child_escalates(autojump_clock: Clock, stubborn: Stubborn) -> None:
    journal = Journal()
    reason = r"a: did not end within 5 s of its cancel \(the supervisor stops\)"
    with pytest.RaisesGroup(pytest.RaisesExc(Escalation, match=reason)), trio.move_on_after(10):
        await Supervisor("s", [fake("a", journal, rest=stubborn)]).run()
    assert trio.current_time() - journal.begin_s == 15


async def test_an_error_while_ending_is_told_and_is_no_crash(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()

    async def fail_in_cleanup() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise error("cleanup")

    supervisor = Supervisor("s", [fake("a", journal, rest=fail_in_cleanup, intensity=0)], board=health)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor.run)
        supervisor.restart("a")
        await trio.sleep(1)
        assert health.snapshot()["a"] == ActorHealth(
            "a", "running", restarts=1, last_error="ValueError: cleanup", last_error_ms=round(journal.begin_s * 1000)
        )
        supervisor.shut_down()


# -- errors in groups, and what is nobody's crash


async def test_groups_are_told_by_their_leaves(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()
    group = ExceptionGroup("g", [error("one"), ExceptionGroup("h", [KeyError("two")])])
    await run_for(Supervisor("s", [fake("a", journal, [group])], board=health), 5)
    assert health.snapshot()["a"].last_error == "ValueError: one; KeyError: 'two'"


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("grouped", [False, True])
async def test_an_interrupt_leaves_the_supervisor(
    autojump_clock: Clock, kind: type[BaseException], grouped: bool
) -> None:
    journal = Journal()
    interrupt: BaseException = BaseExceptionGroup("g", [error(), kind()]) if grouped else kind()
    children = [fake("a", journal), fake("b", journal, [after(1, interrupt)])]
    leaves = (ValueError, kind) if grouped else (kind,)
    with pytest.RaisesGroup(*leaves, flatten_subgroups=True):
        await Supervisor("s", children).run()
    assert journal.times("b starts") == [0]
    assert journal.times("a ends") == [1]


async def test_an_interrupt_while_stopping_is_not_lost(autojump_clock: Clock) -> None:
    journal = Journal()

    async def interrupted_cleanup() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise KeyboardInterrupt

    with pytest.RaisesGroup(KeyboardInterrupt, flatten_subgroups=True):
        await run_for(Supervisor("s", [fake("a", journal, rest=interrupted_cleanup)]), 1)


# -- 2: nesting


def nested(inner: Supervisor, **options: Any) -> ChildSpec:
    defaults: dict[str, Any] = {"stop": inner.shut_down, "stop_within_s": inner.longest_stop_s + 1, "jitter": 0}
    return ChildSpec(name=inner.name, run=inner.run, **{**defaults, **options})


async def test_an_inner_escalation_is_a_crash_in_the_outer_one(autojump_clock: Clock) -> None:
    journal, health = Journal(), board()
    inner = Supervisor("inner", [fake("a", journal, [error()] * 3, intensity=1), fake("b", journal)], board=health)
    await run_for(Supervisor("outer", [nested(inner), fake("c", journal)], board=health), 10)
    assert journal.times("a starts") == [0, 0.2, 0.4, 0.6]  # two lives, the outer backoff, two lives
    assert journal.times("b starts") == [0.6]
    assert journal.times("c starts") == [0.6]
    assert health.snapshot()["inner"].restarts == 1
    assert health.snapshot()["inner"].last_error == "Escalation: a: 2 crashes within 60 s, the last: ValueError: boom"
    assert journal.names()[-3:] == ["c ends", "b ends", "a ends"]


async def test_escalations_climb(autojump_clock: Clock) -> None:
    journal = Journal()
    inner = Supervisor("inner", [fake("a", journal, rest=after(1, error()), intensity=1)])
    with pytest.raises(Escalation, match="inner: 2 crashes within 60 s, the last: Escalation: a: 2 crashes"):
        await Supervisor("outer", [nested(inner, intensity=1)]).run()
    assert len(journal.times("a starts")) == 4


async def test_cancelling_the_outer_one_reaches_the_innermost(autojump_clock: Clock) -> None:
    journal = Journal()
    inner = Supervisor("inner", [fake("a", journal)])
    with trio.move_on_after(3):
        await Supervisor("outer", [nested(inner)]).run()
    assert journal.times("a ends") == [3]


async def test_a_stuck_grandchild_escalates_and_the_others_stop_in_order(
    autojump_clock: Clock, stubborn: Stubborn
) -> None:
    journal = Journal()
    inner = Supervisor("inner", [fake("a", journal), fake("b", journal, rest=stubborn)])
    outer = Supervisor("outer", [fake("c", journal), nested(inner, intensity=0)])
    async with trio.open_nursery() as nursery:

        async def run_outer() -> None:
            with pytest.raises(Escalation, match=r"inner: 1 crashes.* b: did not end"):
                await outer.run()

        nursery.start_soon(run_outer)
        await trio.sleep(1)
        inner.restart("b")
    assert journal[-2:] == [(6, "a ends"), (6, "c ends")]


# -- the ground these tests stand on


def test_canary_equal_seeds_give_equal_schedules() -> None:
    """pytest-trio makes Trio's schedule deterministic for Hypothesis by private names: they still work."""
    from trio._core import _run

    assert _run._ALLOW_DETERMINISTIC_SCHEDULING

    def schedule(seed: int) -> list[int]:
        order: list[int] = []

        async def worker(number: int) -> None:
            for _ in range(3):
                await trio.lowlevel.checkpoint()
                order.append(number)

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                for number in range(10):
                    nursery.start_soon(partial(worker, number))

        _run._r.seed(seed)
        trio.run(main)
        return order

    assert schedule(1) == schedule(1)
    assert len({tuple(schedule(seed)) for seed in range(10)}) > 5

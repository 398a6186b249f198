"""Supervision: keeps children running, and says so when it cannot.

Promises
- Children start in order, each when the one before is ready (or parked, or done), and stop in reverse.
- A crash (an error, an end that nobody asked for, no `started()` in time, a hung message) restarts the child
  after a backoff; more than `intensity` of them in `period_s` go beyond: escalate or park. With REST_FOR_ONE
  the children after a crashed one are stopped before its backoff and start again after it.
- A message that crashes its handler again and again counts once (see mailbox.py).
- Escalation stops the other children in order, then leaves `run` as an Escalation. To an outer supervisor
  that is a crash of this child: supervisors nest, `run` has a child's signature.
- A child that ignores its cancel for `stop_within_s` escalates, too, with `stuck` set. Trio cannot kill a
  task: it is left behind, and so `trio.run` cannot return; the composition root must leave with `os._exit`.
- Cancelling `run` cancels all children at once and waits for them, `stop_within_s` at most.
- KeyboardInterrupt, SystemExit and their like are nobody's crash: they leave `run` (in Trio's groups).

Children are system tasks, since a nursery could never leave a stuck one behind. Each has a keeper task here,
which lives in a nursery as usual, spawns the child, and does not end before the child has (or is given up).
"""

from __future__ import annotations

import contextvars
import logging
import math
import random
from collections.abc import Callable, Sequence
from typing import Final

import trio

from .child import Beyond, ChildSpec, Escalation, Restart, Strategy
from .health import ActorState, HealthBoard
from .life import Child, Life, error_text

__all__ = ["Beyond", "ChildSpec", "Escalation", "Restart", "Strategy", "Supervisor"]

LOG: Final = logging.getLogger(__name__)
SHORTEST_WATCH_S: Final = 0.001  # rounding must not make the watcher spin
HELD: Final = "a child before it is restarted"


class Supervisor:
    """See the module docstring for the promises. `run` may be called again after it has ended."""

    def __init__(
        self,
        name: str,
        children: Sequence[ChildSpec],
        *,
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        board: HealthBoard | None = None,
        rng: random.Random | None = None,
    ) -> None:
        if len({spec.name for spec in children}) < len(children):
            raise ValueError(f"supervisor {name}: two children have the same name")
        if strategy is Strategy.REST_FOR_ONE and any(spec.beyond is Beyond.PARK for spec in children[:-1]):
            raise ValueError(f"supervisor {name}: only the last child may park, the others are built upon")
        self.name = name
        self._specs = tuple(children)
        self._strategy = strategy
        self._board = board or HealthBoard(lambda: 0)
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._children: list[Child] = []
        self._is_stopping = False
        self._escalation: Escalation | None = None
        self._changed = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the children until `shut_down`. Ready when each is ready, parked or done. Raises Escalation."""
        self._escalation, self._children = None, []
        for spec in self._specs:
            self._children.append(Child(spec, spec.backoff_s, tuple(self._children)))
            self._board.note_child(spec.name, spec.mailbox)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch_for_hung)
                for child in self._children:
                    nursery.start_soon(self._keep, child)
                await self._until(lambda: self._is_stopping or all(child.is_settled for child in self._children))
                if not self._is_stopping:
                    task_status.started()
                await self._until(lambda: self._is_stopping)
                for child in reversed(self._children):
                    await self._stop(child)
                nursery.cancel_scope.cancel()
        finally:
            self._is_stopping = False
        if self._escalation is not None:
            raise self._escalation

    def shut_down(self) -> None:
        """Ask for an orderly stop: in reverse order, each child with its deadlines. `run` then returns.

        Before `run` has begun, it ends that one as soon as it begins.
        """
        self._is_stopping = True
        self._tell()

    def restart(self, name: str) -> None:
        """Restart a running child, or try a parked one again, now. It is no crash. Raises KeyError."""
        child = {child.spec.name: child for child in self._children}[name]
        if child.parked is not None:
            child.parked.set()
        elif child.life is not None:
            child.life.end("a restart was asked for")

    @property
    def longest_stop_s(self) -> float:
        """What an orderly stop may take: an outer supervisor's `stop_within_s` for this one must be longer."""
        return sum(2 * spec.stop_within_s for spec in self._specs)

    # -- one child's keeper

    async def _keep(self, child: Child) -> None:
        """Run the child again and again. Cancelled to stop it."""
        await trio.lowlevel.checkpoint()
        try:
            with child.scope:
                while not child.is_done:
                    await self._until(lambda: self._may_start(child))
                    await self._live(child)
                    await self._go_on(child)
        except Escalation as escalation:
            self._escalation = self._escalation or escalation
            self.shut_down()
            if trio.current_effective_deadline() == -math.inf:
                raise  # `run` itself is being cancelled: no orderly stop will tell
        finally:
            child.kept.set()
            self._tell()

    def _may_start(self, child: Child) -> bool:
        if self._strategy is Strategy.REST_FOR_ONE:
            return all(other.is_up or other.is_done for other in child.before)
        return all(other.is_settled for other in child.before)

    async def _live(self, child: Child) -> None:
        """One life, from spawn to end. Raises Escalation when it does not end."""
        spec = child.spec
        if child.life is not None:
            self._board.note_restart(spec.name)
        self._note(child, "starting")
        life = child.life = Life()
        name = f"{self.name}/{spec.name}"
        trio.lowlevel.spawn_system_task(life.live, spec, name=name, context=contextvars.copy_context())
        try:
            with trio.move_on_after(spec.ready_within_s):
                await life.settled.wait()
            if life.ready_s is None:
                life.end(f"not ready within {spec.ready_within_s:g} s", is_crash=True)
            else:
                child.is_settled, child.is_up = True, not life.over.is_set()
                self._note(child, "running")
                if child.is_leaving:
                    self._ask_to_stop(child)
            await life.over.wait()
        finally:
            child.is_up = False
            life.end("the supervisor stops")
            with trio.move_on_after(spec.stop_within_s, shield=True):
                await life.ended.wait()
            self._take_note_of_end(child, life)

    def _take_note_of_end(self, child: Child, life: Life) -> None:
        """Raises Escalation when it did not end, and what is nobody's crash."""
        spec, error = child.spec, life.error
        if not life.ended.is_set():
            self._note(child, "stuck")
            reason = f"did not end within {spec.stop_within_s:g} s of its cancel ({life.cause})"
            raise Escalation(spec.name, reason, stuck=True)
        self._note(child, "stopped")
        if error is not None and life.is_fatal:
            raise error
        crash = life.crash(spec, is_leaving=child.is_leaving)
        if crash is not None or error is not None:
            told = crash or "error while ending"
            self._board.note_error(spec.name, told if error is None else error_text(error))
            LOG.error("%s/%s: %s", self.name, spec.name, told, exc_info=error)

    async def _go_on(self, child: Child) -> None:
        """Judge how the child's life ended, and wait as long as that asks for. Raises Escalation."""
        await trio.lowlevel.checkpoint()
        spec, life = child.spec, child.life
        assert life is not None  # noqa: S101 - _live has set it
        crash = life.crash(spec, is_leaving=child.is_leaving)
        is_through = crash is None and life.cause is None
        has_finished = is_through and spec.restart is Restart.TRANSIENT
        has_left = child.is_leaving and (is_through or not spec.has_work)
        if spec.restart is Restart.TEMPORARY or has_finished or has_left:
            child.is_done = child.is_settled = True
            return
        if self._strategy is Strategy.REST_FOR_ONE and life.cause != HELD:
            await self._hold_later(child)
        if crash is not None and not life.is_repeated:
            await self._back_off(child, life, crash)

    async def _hold_later(self, child: Child) -> None:
        """End the lives after `child`'s, in reverse; their keepers wait until it is up again."""
        await trio.lowlevel.checkpoint()
        for later in reversed(self._children[self._children.index(child) + 1 :]):
            if later.life is not None:
                later.life.end(HELD)
                await later.life.ended.wait()

    async def _back_off(self, child: Child, life: Life, crash: str) -> None:
        spec, now_s = child.spec, trio.current_time()
        child.crashes.append(now_s)
        while child.crashes[0] <= now_s - spec.period_s:
            child.crashes.popleft()
        if len(child.crashes) > spec.intensity:
            if spec.beyond is Beyond.ESCALATE:
                reason = f"{len(child.crashes)} crashes within {spec.period_s:g} s, the last: {crash}"
                raise Escalation(spec.name, reason) from life.error
            await self._park(child)
            return
        if life.ready_s is not None and now_s - life.ready_s >= spec.stable_s:
            child.backoff_s = spec.backoff_s
        delay_s = child.backoff_s * (1 + spec.jitter * self._rng.uniform(-1, 1))
        child.backoff_s = min(child.backoff_s * spec.backoff_factor, spec.backoff_max_s)
        self._note(child, "backing_off")
        await trio.sleep(delay_s)

    async def _park(self, child: Child) -> None:
        """Let it rest, then give it a clean sheet."""
        child.parked, child.is_settled = trio.Event(), True
        self._note(child, "parked")
        with trio.move_on_after(child.spec.park_retry_s):
            await child.parked.wait()
        child.parked, child.backoff_s = None, child.spec.backoff_s
        child.crashes.clear()

    # -- all of them

    async def _stop(self, child: Child) -> None:
        """End the child for good: by its own `stop` within the deadline, else by cancelling its keeper."""
        spec = child.spec
        child.is_leaving = True
        may_obey = child.is_up or (spec.has_work and child.parked is None and not child.kept.is_set())
        if may_obey and self._ask_to_stop(child):
            with trio.move_on_after(spec.stop_within_s):
                await child.kept.wait()
        child.scope.cancel()
        await child.kept.wait()  # the keeper has a deadline of its own

    def _ask_to_stop(self, child: Child) -> bool:
        """False: it cannot be asked. A `stop` that raises must not keep the others from their orderly end."""
        spec = child.spec
        try:
            if spec.stop is not None:
                spec.stop()
        except Exception as error:
            self._board.note_error(spec.name, error_text(error))
            LOG.exception("%s/%s: cannot be asked to stop, and is cancelled", self.name, spec.name)
            return False
        return spec.stop is not None

    async def _watch_for_hung(self) -> None:
        while True:
            due_s = self._end_hung()
            await trio.sleep(due_s)

    def _end_hung(self) -> float:
        """End whoever is at one thing for too long. Returns the seconds until the next could be due."""
        due_s = math.inf
        for child in self._children:
            mailbox, limit_s = child.spec.mailbox, child.spec.hung_after_s
            if mailbox is None and child.spec.busy_s is None:
                continue
            age_s, work = child.spec.oldest_work()
            if age_s >= limit_s and child.is_up and child.life is not None and not child.life.over.is_set():
                if mailbox is not None and (mailbox.in_flight_age_s or 0.0) >= limit_s:
                    mailbox.count_hang()
                child.life.end(f"hung: {age_s:.1f} s on {work}", is_crash=True)
            due_s = min(due_s, limit_s - age_s if age_s < limit_s else limit_s)
        return max(due_s, SHORTEST_WATCH_S)

    def _note(self, child: Child, state: ActorState) -> None:
        self._board.note_state(child.spec.name, state)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def _until(self, condition: Callable[[], bool]) -> None:
        await trio.lowlevel.checkpoint()
        while not condition():
            await self._changed.wait()

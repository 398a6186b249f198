"""The dispatcher of device actions: at most once, whatever the network, the core and the power supply do.

The order of things is the promise. The journal says `sending` before a byte leaves; what may have left is never sent
again, and what came of it is found out by reading the entity's state. Just before sending: the time to live has not run
out, the entity is there, available, still of a harmless kind, and not already so. After a restart nothing is sent that
was not sent before: what waited has expired, what was being sent is unknown and is reconciled.

One actor; its state is the control store. A green action waits UNDO_S for second thoughts; an amber one is sent only
when it was confirmed.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import trio

from analytics.action_risk import TEMPLATES, is_so, risk
from analytics.action_state import UNDO_S, Action, ActionPhase, WrongTurnError, check_turn
from storage.archive import ArchiveError, PoisonError
from storage.control import ControlStore
from storage.control_actions import find_by_key, get_action, insert_action, open_actions, turn_action

from .action_rate import ActionRate
from .core import Core, Entity, NoAnswerError, NotSentError, judged
from .frames import action_frame
from .hub import Hub
from .recommendations import Recommendation

LOG: Final = logging.getLogger(__name__)
TTL_S: Final = 30.0
RECONCILE_S: Final = (0.5, 2.0, 5.0, 15.0, 60.0)  # pauses before each look at the state
RATE: Final = (10, 60.0)  # at most so many actions in so many seconds
STORE_RETRY_S: Final = 1.0
READY_S: Final = 1.0  # a journal that takes longer to read is not waited for


class RefusedError(Exception):
    """Not now: too many at once, or the core is not known. `str()` is a sentence for people."""


class ActionDispatcher:
    """`run` has a child's signature; the other methods are for the gateway."""

    def __init__(
        self,
        *,
        store: ControlStore,
        core: Core | None,
        hub: Hub,
        wall_ms: Callable[[], int],
        succeeded: Callable[[Action], None] = lambda action: None,
    ) -> None:
        self._store = store
        self._core = core
        self._hub = hub
        self._wall_ms = wall_ms
        self._succeeded = succeeded
        self._deadlines: dict[str, float] = {}  # action id -> Trio's time at which its life ends
        self._send, self._receive = trio.open_memory_channel[str | None](256)  # None: take stock
        self._followed: Counter[str] = Counter()  # tasks of this life that take an action to its end
        self._rate = ActionRate(*RATE)

    @property
    def core(self) -> Core | None:
        return self._core

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        self._followed.clear()
        looked = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._take_up, nursery, looked)
            with trio.move_on_after(READY_S):
                await looked.wait()
            task_status.started()
            await trio.sleep_forever()

    async def _take_up(self, nursery: trio.Nursery, looked: trio.Event) -> None:
        """First what was left, then what is asked for."""
        left = await self._take_stock()
        looked.set()
        while True:
            for action in left:
                nursery.start_soon(self._follow, action.action_id, action)
            action_id = await self._receive.receive()
            left = await self._take_stock() if action_id is None else []
            if action_id is not None:
                nursery.start_soon(self._follow, action_id)

    def look_again(self) -> None:
        """The journal was replaced by another: what is open in it is brought to its end, and nothing of it is sent."""
        self._send.send_nowait(None)

    async def propose(self, chosen: Recommendation, *, owner: str, key: str, confirmed: bool) -> Action:
        """A new action. Raises RefusedError, KeyUsedError, EntityBusyError, ArchiveError."""
        if self._core is None:
            raise RefusedError("no core is set: COACHIQ_ANALYTICS__CORE_URL says where it is")
        now_ms = self._wall_ms()
        used = await self._store.read(lambda connection: find_by_key(connection, owner, key))
        if used is None and not self._rate.take():
            raise RefusedError(f"more than {self._rate}")
        action = Action(
            action_id=secrets.token_hex(8), owner=owner, key=key, recommendation_id=chosen.recommendation_id,
            insight_id=chosen.insight.insight_id, rule=chosen.insight.key, metric=chosen.insight.metric,
            template=chosen.template.name, entity_id=chosen.entity.entity_id, entity_name=chosen.entity.name,
            risk=chosen.risk, phase="proposed", created_ms=now_ms, changed_ms=now_ms,
            expires_ms=now_ms + round(TTL_S * 1000), facts={"consequence": chosen.consequence},
        )  # fmt: skip
        self._deadlines[action.action_id] = trio.current_time() + TTL_S
        try:
            action = await self._store.write(lambda connection: insert_action(connection, action))
        except BaseException:
            self._deadlines.pop(action.action_id, None)
            if used is None:
                self._rate.give_back()
            raise
        self._tell(action)
        if action.risk == "green" or confirmed:
            action = await self.confirm(action.action_id)
        else:
            self._send.send_nowait(action.action_id)
        return action

    async def confirm(self, action_id: str) -> Action:
        """Raises WrongTurnError, RefusedError, ArchiveError."""
        if trio.current_time() >= self._deadlines.get(action_id, 0.0):
            known = await self._store.read(lambda connection: get_action(connection, action_id))
            if known is not None and known.phase not in ("proposed", "expired"):
                check_turn(known.phase, "confirmed")  # it has gone another way, and does not wait any more
            raise RefusedError("its time to live has run out: propose it anew")
        action = await self._turn(action_id, "confirmed")
        self._send.send_nowait(action_id)
        return action

    async def undo(self, action_id: str) -> Action:
        """Before it is sent. Raises WrongTurnError when it is too late, ArchiveError."""
        return await self._turn(action_id, "cancelled", {"reason": "taken back"})

    async def _take_stock(self) -> list[Action]:
        """After a start, or a restore. Returns what may have been sent."""
        try:
            found = await self._store.read(open_actions)
        except ArchiveError as error:
            LOG.warning("the action journal can't be read: %s", error.reason)
            return []
        left = []
        for action in found:
            if self._followed[action.action_id]:
                continue
            if action.action_id in self._deadlines and action.phase in ("proposed", "confirmed"):
                self._send.send_nowait(action.action_id)  # only this actor was restarted
            elif action.phase in ("proposed", "confirmed"):
                await self._turn(
                    action.action_id, "expired", {"reason": "the service was restarted before it was sent"}
                )
            elif action.phase == "sending":
                facts = {"reason": "the service ended while it was being sent"}
                left.append(await self._turn(action.action_id, "unknown", facts))
            else:
                left.append(action)
        return left

    async def _follow(self, action_id: str, sent: Action | None = None) -> None:
        """One action from here to its end. `sent`: it may have been sent, and nobody knows what came of it."""
        self._followed[action_id] += 1
        try:
            await (self._carry_out(action_id) if sent is None else self._reconcile(sent))
        except WrongTurnError as error:
            LOG.info("action %s: %s", action_id, error)  # it was taken back, or another task follows it
        except (ArchiveError, PoisonError) as error:
            LOG.error("action %s stops here, for the journal can't be written: %s", action_id, error)
        except Exception:
            LOG.exception("action %s failed", action_id)
        finally:
            self._followed[action_id] -= 1
            self._followed += Counter()  # those at nought go

    async def _carry_out(self, action_id: str) -> None:
        action = await self._known(action_id)
        deadline_s = self._deadlines.get(action_id, 0.0)
        if action is None or self._core is None:
            return
        if action.phase == "proposed":
            await trio.sleep_until(deadline_s)
            await self._turn(action_id, "expired", {"reason": "nobody confirmed it"})
            return
        if action.risk == "green":
            await trio.sleep(UNDO_S)
        reason = await self._objection(action, deadline_s)
        if reason is not None:
            await self._turn(action_id, *reason)
            return
        await self._turn(action_id, "sending")  # on disk before a byte leaves
        if trio.current_time() >= deadline_s:
            await self._turn(action_id, "failed_before_send", {"reason": "its time to live ran out"})
            return
        await self._send_it(action, deadline_s)

    async def _objection(self, action: Action, deadline_s: float) -> tuple[ActionPhase, Mapping[str, Any]] | None:
        """Why it is not sent after all, from a look at the entity now."""
        assert self._core is not None  # noqa: S101  # _carry_out saw to it
        template = TEMPLATES[action.template]
        if trio.current_time() >= deadline_s:
            return "expired", {"reason": "its time to live ran out"}
        try:
            entity = await self._core.entity(action.entity_id)
        except (NotSentError, NoAnswerError) as error:
            return "failed_before_send", {"reason": f"the entity's state can't be read: {error}"}
        if entity is None or not entity.available:
            return "rejected", {"reason": "the entity is not there, or not available"}
        if risk(template, entity.entity_id, entity.name, entity.kind) == "red":
            return "rejected", {"reason": "this is never operated from here"}
        if is_so(template, entity.state):
            return "rejected", {"reason": "it is so already"}
        return None

    async def _send_it(self, action: Action, deadline_s: float) -> None:
        assert self._core is not None  # noqa: S101  # as above
        template = TEMPLATES[action.template]
        phase: ActionPhase = "unknown"
        facts: Mapping[str, Any]
        try:
            answer = await self._core.control(action.entity_id, template.command, deadline_s)
        except NotSentError as error:
            await self._must_turn(action, "failed_before_send", {"reason": str(error)})
            return
        except NoAnswerError as error:
            facts = {"reason": str(error)}
        except Exception as error:
            LOG.exception("action %s: the core's answer can't be understood", action.action_id)
            facts = {"reason": f"the answer can't be understood: {type(error).__name__}"}
        else:
            phase, facts = judged(answer)
        done = await self._must_turn(action, phase, facts)
        if done.phase == "succeeded":
            self._succeeded(done)
        elif done.phase == "unknown":
            await self._reconcile(done)

    async def _reconcile(self, action: Action) -> None:
        """Look at the state until it can be read; never send again."""
        template = TEMPLATES[action.template]
        facts: dict[str, Any] = {"effect_seen": None, "found": "the entity's state can't be read"}
        for pause_s in RECONCILE_S:
            await trio.sleep(pause_s)
            entity = await self._look(action.entity_id)
            if entity is None:
                continue
            seen = is_so(template, entity.state)
            facts = {"effect_seen": seen, "found": f"{entity.name}: {dict(entity.state)}"[:500]}
            if seen:
                break
        try:
            done = await self._must_turn(action, "reconciled", facts)
        except (WrongTurnError, PoisonError) as error:
            LOG.error("action %s can't be reconciled: %s", action.action_id, error)
            return
        if facts["effect_seen"]:
            self._succeeded(done)

    async def _look(self, entity_id: str) -> Entity | None:
        if self._core is None:
            return None
        try:
            return await self._core.entity(entity_id)
        except (NotSentError, NoAnswerError):
            return None

    async def _must_turn(self, action: Action, phase: ActionPhase, facts: Mapping[str, Any]) -> Action:
        """What has happened must be written down: a disk that is full is waited for."""
        while True:
            try:
                return await self._turn(action.action_id, phase, facts)
            except ArchiveError as error:
                LOG.error("action %s is %s, which can't be written down now: %s", action.action_id, phase, error.reason)
                if error.trouble == "closed":
                    raise
                await trio.sleep(STORE_RETRY_S)

    async def _turn(self, action_id: str, phase: ActionPhase, facts: Mapping[str, Any] | None = None) -> Action:
        now_ms = self._wall_ms()
        action = await self._store.write(lambda connection: turn_action(connection, action_id, phase, now_ms, facts))
        if action.is_over:
            self._deadlines.pop(action_id, None)
        self._tell(action)
        return action

    async def _known(self, action_id: str) -> Action | None:
        found = await self._store.read(open_actions)
        return next((each for each in found if each.action_id == action_id), None)

    def _tell(self, action: Action) -> None:
        LOG.info("action %s on %s is %s", action.action_id, action.entity_id, action.phase)
        self._hub.publish("action", action_frame(action), key=action.action_id)

"""All checks of a coach: run at the end of each five-minute slot, what they see as findings.

Owns which signs have been told (so that they stay until they are clearly over) and which of two signs explains the
other. Promises
- one check that fails takes no other along: it is named in `failed`, the rest goes on;
- what was told is told as over, once, when its check has looked and found it gone; while nobody can judge it (the
  nights are spent on shore power, say) it is neither told nor called over.

A restart forgets which signs were told: the book of insights knows, and hands them to `remember`. And it forgets what
the alternator gave before the log begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from .coach_alternator import AlternatorTrend
from .coach_battery import ageing, battery_empty, overnight_drop, parasitic_draw
from .coach_charging import engine_without_current, output_low, shore_without_current, sun_without_current
from .coach_climate import not_cooling, short_cycling
from .coach_cold import duty_grew, warming
from .coach_engines import load_grew, long_run, running_hotter
from .coach_log import SLOT_MS, CoachLog
from .coach_propane import propane_use
from .coach_service import service_due
from .coach_sign import THIN, Sign
from .coach_system import errors, noisy, rate_drop, slowed
from .coach_tanks import tanks_ahead
from .coach_view import CoachView
from .coach_water import leak, level_stuck
from .records import Finding, FindingKind
from .robust import Times

Check = Callable[[CoachView], Iterator[Sign]]
Key = tuple[FindingKind, str]

PROMPT: Final[tuple[Check, ...]] = (  # looked at every slot
    sun_without_current, shore_without_current, engine_without_current, warming, battery_empty, short_cycling,
    not_cooling, long_run, load_grew, running_hotter, rate_drop, slowed, errors,
)  # fmt: skip
THOROUGH: Final[tuple[Check, ...]] = (  # looked at every hour: they compare nights and days
    parasitic_draw, overnight_drop, ageing, output_low, duty_grew, leak, level_stuck, tanks_ahead, propane_use,
    noisy, service_due,
)  # fmt: skip
THOROUGH_SLOTS: Final = 12
EXPLAINED: Final = {  # a sign is not told while one of these holds, which explains it
    FindingKind.OVERNIGHT_DROP: (FindingKind.AGEING,),
    FindingKind.PARASITIC: (FindingKind.WARMING, FindingKind.DUTY_GREW, FindingKind.EMPTY_AHEAD),
    FindingKind.OUTPUT_LOW: (FindingKind.NO_CHARGE,),
    FindingKind.ALTERNATOR_WEAK: (FindingKind.NO_CHARGE,),
    FindingKind.DUTY_GREW: (FindingKind.WARMING,),
}


LAPSE_SLOTS: Final = 288  # what nobody could judge for a day is not called told any more


class CoachWatch:
    """The checks over `log`. `wall`: LocalTime.wall of the coach's zone."""

    def __init__(self, log: CoachLog, wall: Callable[[Times], Times]) -> None:
        self._log = log
        self._wall = wall
        self._alternator = AlternatorTrend()
        self._told: dict[Key, tuple[Finding, int]] = {}  # with the slot in which it was last seen
        self._looked_slot = self._thorough_slot = 0
        self.failed: dict[str, str] = {}  # check -> what went wrong, at the last look

    def remember(self, keys: Iterable[Key]) -> None:
        """These were told before a restart and not called over."""
        for kind, metric in keys:
            self._told.setdefault((kind, metric), (_unseen(kind, metric), self._log.end_slot))

    def told(self) -> list[Key]:
        """What was told and not called over."""
        return list(self._told)

    def look_at_all(self) -> None:
        """The past has become another: at the next look every check looks, whether it is its time or not."""
        self._looked_slot = self._thorough_slot = 0

    def look(self, *, thorough: bool = False, end_slot: int | None = None) -> list[Finding]:
        """What is new, and what is over. Without a new slot since the last look: nothing.

        `thorough`: every check, whether it is its time or not, and everything that holds is told again. `end_slot`:
        look as if the log ended there.
        """
        slot = self._log.end_slot if end_slot is None else end_slot
        if not slot or (slot == self._looked_slot and not thorough):
            return []
        self._looked_slot = slot
        view = CoachView(self._log, self._wall, slot)
        checks = PROMPT
        if thorough or slot - self._thorough_slot >= THOROUGH_SLOTS:
            self._thorough_slot = slot
            checks += (*THOROUGH, self._alternator.alternator_weak)
        self._told = {key: told for key, told in self._told.items() if slot - told[1] <= LAPSE_SLOTS}
        signs = {sign.key: sign for sign in self._signs(view, checks) if sign.cover >= THIN}
        holding = {key for key, sign in signs.items() if sign.holds(told=key in self._told)}
        kinds = {kind for kind, _ in holding} | {kind for kind, _ in self._told}
        shown = {key for key in holding if not kinds.intersection(EXPLAINED.get(key[0], ()))}
        findings = [signs[key].finding(view) for key in shown if thorough or key not in self._told]
        for key, (finding, _) in list(self._told.items()):
            if key in shown:
                self._told[key] = finding, slot
            elif key in signs:
                del self._told[key]
                findings.append(replace(finding, at_ms=slot * SLOT_MS, over=True))
        self._told.update({(each.kind, each.metric): (each, slot) for each in findings if not each.over})
        return findings

    def _signs(self, view: CoachView, checks: Iterable[Check]) -> Iterator[Sign]:
        self.failed = {}
        for check in checks:
            try:
                yield from list(check(view))
            except Exception as error:  # one check's mistake must not silence the others; the actor reports it
                self.failed[check.__name__] = f"{type(error).__name__}: {error}"


def _unseen(kind: FindingKind, metric: str) -> Finding:
    return Finding(kind, metric, 0, 0, None, None, None, score=0.0, confidence=0.0, samples=0)

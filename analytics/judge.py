"""The anomaly detector of one metric: ticks in, what began and what ended out, each with its kind.

An episode begins when the score reaches the metric's own level (alarm_level.py). Its kind is judged from what is
known by then, and once more while it lasts:

    spike   outside the usual band since a moment ago; when it stays there it becomes a step
    step    outside since a jump        drift   outside, or moving away, without one
    shape   in the usual band, but calmer, noisier or out of its rhythm
    stuck   the very same value for too long (stuck.py; needs no score)

After an episode has begun the metric says nothing new for REST_S. A step or a drift that lasts ADOPT_S is the new
normal. The band is around what is usual at this time of the day and week once that is known better than the level.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal, NamedTuple

from .alarm_level import REST_LEAST, REST_S, AlarmLevel
from .anomaly import WINDOW, AnomalyScore
from .local_time import UTC_TIME, LocalTime
from .records import FindingKind
from .stuck import Stuck
from .tail import Tail
from .ticks import Tick

BAND: Final = 4.0  # mean absolute deviations: 3.2 sigma of a normal
JUMP: Final = 3.0  # the change's distance from usual that makes a jump
STAYS: Final = 6  # ticks outside after which it is no spike
BACK: Final = 5  # ticks inside after which it is over
FIRST_TICKS: Final = 120  # before anything is said
FIRST_S: Final = 1800.0
KNOWN_S: Final = 86_400.0
CALM: Final = 0.4  # share of the level; a score below it is ordinary
CALM_TICKS: Final = 13
ADOPT_S: Final = 6 * 3600.0
DRIFTING: Final = 4.0
RARE_BURST: Final = 3.5  # powers of ten
BURSTS: Final = 5_000  # ticks
FLIPS: Final = 2  # further exits from the band that make an episode one of noise
Side = Literal["above", "below", "none"]


class Verdict(NamedTuple):
    kind: FindingKind
    over: bool
    start_s: float
    value: float
    low: float
    high: float
    score: float
    level: float
    side: Side


class Judge:
    """`take` ticks of the metric; `score` and `level` are those of the last one. Not `scored`: only stuck or not."""

    __slots__ = (
        "_at_s", "_began_s", "_burst", "_calm", "_center", "_exits", "_inside", "_jumped", "_open_s", "_opened_at",
        "_out", "_out_s", "_scored", "_side", "_spread", "_stuck", "_where", "anomaly", "kind", "level", "levels",
        "local", "score",
    )  # fmt: skip

    def __init__(self, local: LocalTime = UTC_TIME, *, scored: bool = True) -> None:
        self.local = local
        self._scored = scored
        self.anomaly = AnomalyScore()
        self.levels = AlarmLevel()
        self._stuck = Stuck()
        self._burst = Tail()  # of the distance from a tick's mean to its extreme
        self.score = 0.0
        self._at_s = -1e18
        self.level = self.levels.level
        self.kind: FindingKind | None = None  # of the episode that is open
        self._open_s = -1e18  # when the last episode was told
        self._opened_at = -REST_LEAST
        self._began_s = 0.0
        self._center = self._spread = 0.0  # of the band when the episode began
        self._side: Side = "none"  # of the episode
        self._where: Side = "none"  # of the last value that was outside
        self._exits = 0  # from the band, since the episode began
        self._out = 0  # ticks outside the band, one after the other, on one side
        self._out_s = 0.0
        self._jumped = False
        self._inside = 0
        self._calm = 0

    def take(self, tick: Tick, raised: float = 0.0) -> list[Verdict]:
        """Learn a tick. `raised`: how much more than its level the score has to reach to be told."""
        at_s = tick.at_ms / 1000.0
        told: list[Verdict] = []
        if at_s <= self._at_s:
            if self._at_s - at_s < KNOWN_S:  # seen before a restart; much older: the clock was set back
                return told
            self.levels.shift(at_s - self._at_s)
            self._open_s += at_s - self._at_s
            self._began_s = min(self._began_s, at_s)
        self._at_s = at_s
        if not self._scored:
            self._look_stuck(at_s, tick, tick.mean, told)
            return told
        anomaly = self.anomaly
        value = tick.mean if tick.samples == 1 else self._telling(tick)
        local_s = (tick.at_ms + self.local.offset_ms(tick.at_ms)) / 1000.0
        self.score = score = anomaly.take(at_s, local_s, value)
        levels = self.levels
        self.level = level = levels.level
        levels.take(at_s, score, anomaly.gap_s, anomaly.echo)
        self._place(at_s, value)
        if self._look_stuck(at_s, tick, value, told):
            return told
        if self.kind is not None:
            self._go_on(at_s, value, told)
        elif score >= level + raised and self._rested(at_s):
            kind = self._kind()
            told.append(self._begin(kind, at_s, self._out_s if self._out else at_s, value))
        return told

    def _rested(self, at_s: float) -> bool:
        """Whether the metric is known well enough, and has been quiet long enough, to be told of."""
        count = self.anomaly.count
        return (
            count > FIRST_TICKS
            and self.levels.age_s >= FIRST_S
            and at_s - self._open_s > REST_S
            and count - self._opened_at > REST_LEAST
        )

    def _look_stuck(self, at_s: float, tick: Tick, value: float, told: list[Verdict]) -> bool:
        """Whether it became stuck, or came loose."""
        if not self._stuck.take(at_s, value, moved=tick.low != tick.high):
            return False
        since = self._stuck.since_s
        if since is None or self.kind is not FindingKind.STUCK:
            if self.kind is not None:
                told.append(self._end(value))
            if since is not None:
                told.append(self._begin(FindingKind.STUCK, at_s, since, value))
        return True

    def _telling(self, tick: Tick) -> float:
        """The value that stands for a tick of several samples: their mean, or their extreme where that is further out
        than it ever is."""
        reach = max(tick.high - tick.mean, tick.mean - tick.low)
        center, spread = self.anomaly.usual
        floor = 1e-4 * spread + 1e-6 * abs(center)
        surprise = self._burst.surprise(reach, floor, BURSTS, 1.0) if reach < math.inf else 0.0
        if surprise < RARE_BURST:
            return tick.mean
        return tick.high if tick.high - tick.mean >= tick.mean - tick.low else tick.low

    def _place(self, at_s: float, value: float) -> None:
        """Where the value lies, inside the usual band or how long outside it."""
        center, spread = self._band(value)
        reach = BAND * spread
        if center - reach <= value <= center + reach:
            self._out = 0
            return
        side: Side = "above" if value > center else "below"
        if not self._out or side != self._where:
            self._out = 0
            self._out_s = at_s
            self._jumped = abs(self.anomaly.z[1]) >= JUMP
            self._exits += 1
            if self.kind is None:
                self._side = side
        self._out += 1
        self._where = side

    def _band(self, value: float) -> tuple[float, float]:
        if self.kind is not None:
            return self._center, self._spread
        return self.anomaly.band(value)

    def _kind(self) -> FindingKind:
        tails, z = self.anomaly.tails, self.anomaly.z
        if self._out >= STAYS:
            return FindingKind.STEP if self._jumped else FindingKind.DRIFT
        if self._out:
            return FindingKind.SPIKE if self._jumped else FindingKind.DRIFT
        if tails[5] == max(tails) and abs(z[5]) >= DRIFTING:
            self._side = "above" if z[5] > 0 else "below"
            return FindingKind.DRIFT
        if self._stuck.run >= WINDOW and tails[3] == max(tails) and z[3] < 0:
            return FindingKind.STUCK
        return FindingKind.SHAPE

    def _go_on(self, at_s: float, value: float, told: list[Verdict]) -> None:
        """The episode that is open: over, of another kind, or neither."""
        self._inside = 0 if self._out else self._inside + 1
        self._calm = self._calm + 1 if self.score < CALM * self.level else 0
        lasted = at_s - self._began_s
        match self.kind:
            case FindingKind.SPIKE if self._exits >= FLIPS:
                told.append(self._end(value))
                told.append(self._begin(FindingKind.SHAPE, at_s, self._began_s, value))
            case FindingKind.SPIKE if self._out >= STAYS:
                told.append(self._end(value))
                told.append(self._begin(FindingKind.STEP, at_s, self._began_s, value))
            case FindingKind.SPIKE:
                over = self._inside >= BACK
                told += [self._end(value)] if over else []
            case FindingKind.STEP | FindingKind.DRIFT:
                over = self._inside >= BACK and self._calm > 0
                told += [self._end(value)] if over or lasted > ADOPT_S else []
            case FindingKind.SHAPE:
                told += [self._end(value)] if self._calm >= CALM_TICKS or lasted > 4 * ADOPT_S else []
            case FindingKind.STUCK:
                told += [self._end(value)] if self._stuck.run == 0 else []

    def _begin(self, kind: FindingKind, at_s: float, start_s: float, value: float) -> Verdict:
        if kind is FindingKind.STUCK or kind is FindingKind.SHAPE:
            self._side = "none"
        if self.kind is None:
            self._center, self._spread = self._band(value)
        self.kind = kind
        self._began_s, self._open_s, self._opened_at = start_s, at_s, self.anomaly.count
        self._inside = self._calm = self._exits = 0
        return self._verdict(value, over=False)

    def _end(self, value: float) -> Verdict:
        verdict = self._verdict(value, over=True)
        self.kind = None
        self._out = 0
        return verdict

    @property
    def run(self) -> int:
        """How many ticks have been outside the band, or (when it is stuck) the same."""
        return max(1, self._stuck.run if self.kind is FindingKind.STUCK else self._out)

    def likely(self) -> tuple[FindingKind, Side]:
        """What an episode would be that began now, or the one that is open; and its side."""
        kind = self.kind or self._kind()
        return kind, self._side if kind in (FindingKind.SPIKE, FindingKind.STEP, FindingKind.DRIFT) else "none"

    def held(self, value: float) -> Verdict | None:
        """The episode that is open, told again."""
        return None if self.kind is None else self._verdict(value, over=False)

    def _verdict(self, value: float, *, over: bool) -> Verdict:
        low, high = self._center - BAND * self._spread, self._center + BAND * self._spread
        kind = self.kind or FindingKind.SHAPE
        return Verdict(kind, over, self._began_s, value, low, high, self.score, self.level, self._side)

    def pack(self) -> list[Any]:
        """What it has learned, for `unpack`; an open episode is not part of it."""
        return [self._at_s, self.anomaly.pack(), self.levels.pack(), self._stuck.pack(), self._burst.pack()]

    def unpack(self, state: list[Any]) -> None:
        self._at_s, anomaly, levels, stuck, burst = state
        self._burst.unpack(burst)
        self.anomaly.unpack(anomaly)
        self.levels.unpack(levels)
        self._stuck.unpack(stuck)

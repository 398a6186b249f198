"""The score from which on a metric is worth reporting: calibrated to how often this metric scores high by habit.

Scores above LOW are counted as events, an episode of them once. Their weekly rate, with a prior of RATE a week, and the
slope of the scores' tail (SLOPE per power of ten, measured on noise) foretell how often any score comes:

    events per week at `score` = BASE_RATE * 10 ** ((level - score) / SLOPE)

`level` is where that is BASE_RATE, and never less than FLOOR. So a quiet metric is believed early and a nervous one
has to shout. The rate is nominal: on noise the true one is lower (docs/ACCURACY.md).

Where surprises resemble the ones before them (echo.py) they come in crowds, and the tail is longer: from ECHO on the
slope grows, up to CROWDED times, where they do so by FULL_ECHO. That holds a slow noise to the rate of a fast one.
"""

from __future__ import annotations

import math
from math import log10
from typing import Any, Final

LOW: Final = 2.0
SLOPE: Final = 2.5
ECHO: Final = 0.75
FULL_ECHO: Final = 0.85
CROWDED: Final = 1.2
BASE_RATE: Final = 0.25  # events a week
FLOOR: Final = 4.4
PRIOR_EVENTS: Final = 0.5
PRIOR_WEEKS: Final = 1.5
QUIET: Final = 10.0 ** ((FLOOR - LOW) / (SLOPE * CROWDED))  # times BASE_RATE: up to here no slope leads above FLOOR
WEEK_S: Final = 604_800.0
HALF_LIFE_S: Final = 8 * WEEK_S
LONGEST_GAP_S: Final = 86_400.0  # a longer pause says nothing
REST_S: Final = 12 * 3600.0
REST_LEAST: Final = 48  # values
CALIBRATED_GAP_S: Final = 300.0  # the time between the values that FLOOR was measured on
HURRY: Final = 0.8  # how much higher the level is for each power of ten that values come faster: more chances to err
FASTEST_GAP_S: Final = 30.0  # ticks do not stay faster than that for long
PACED: Final = 500  # values after the time between them changed, in which what is usual has to be learned anew
NEW_PACE: Final = 1.25  # a change by so much
YOUNG_S: Final = 86_400.0
YOUNG: Final = 1.0  # how much higher the level of a metric is that was just met, falling to 0 at YOUNG_S


class AlarmLevel:
    __slots__ = (
        "_at_s", "_count", "_events", "_first_s", "_gap_s", "_gap_weeks", "_hurry", "_keep", "_last_gap_s", "_low_at",
        "_low_s", "_paced", "_pending", "_usual_gap_s", "_weeks", "level",
    )  # fmt: skip

    def __init__(self) -> None:
        self._events = 0.0
        self._weeks = 0.0
        self._pending = False
        self._low_s = -math.inf
        self._low_at = 0
        self._at_s = self._first_s = -1.0
        self._count = 0
        self._gap_s = 0.0
        self._last_gap_s = self._gap_weeks = 0.0  # the last time between two scores, and what follows from it
        self._keep = 1.0
        self._paced = -PACED
        self._usual_gap_s = -1.0  # and what follows from it
        self._hurry = 0.0
        self.level = FLOOR + YOUNG

    def take(self, at_s: float, score: float, usual_gap_s: float, echo: float = 0.0) -> None:
        """Learn a score: one comes every `usual_gap_s`, and `echo` is how much surprises resemble those before them.
        An episode does not count towards its own level."""
        if self._count:
            gap_s = at_s - self._at_s
            if gap_s != self._last_gap_s:
                self._last_gap_s = gap_s
                gap_s = min(max(0.0, gap_s), LONGEST_GAP_S)
                self._keep, self._gap_weeks = 0.5 ** (gap_s / HALF_LIFE_S), gap_s / WEEK_S
            keep = self._keep
            self._events *= keep
            self._weeks = self._weeks * keep + self._gap_weeks
        else:
            self._first_s = at_s
        self._at_s = at_s
        self._count = count = self._count + 1
        if self._pending and at_s - self._low_s > REST_S and count - self._low_at > REST_LEAST:
            self._events += 1.0
            self._pending = False
        if score >= LOW and not self._pending:
            self._pending = True
            self._low_s = at_s
            self._low_at = count
        level = FLOOR
        odds = (self._events + PRIOR_EVENTS) / (self._weeks + PRIOR_WEEKS) / BASE_RATE
        if odds > QUIET:
            crowded = min(1.0, (echo - ECHO) / (FULL_ECHO - ECHO)) if echo > ECHO else 0.0
            level = max(FLOOR, LOW + SLOPE * (1.0 + (CROWDED - 1.0) * crowded) * log10(odds))
        if usual_gap_s != self._usual_gap_s:
            self._pace(usual_gap_s)
        age_s = at_s - self._first_s
        young = YOUNG * (1.0 - age_s / YOUNG_S) if age_s < YOUNG_S else 0.0
        if count - self._paced < PACED:
            young = max(young, YOUNG * (1.0 - (count - self._paced) / PACED))
        self.level = level + young + self._hurry

    def _pace(self, usual_gap_s: float) -> None:
        """What follows from the usual time between scores, when that changes."""
        self._usual_gap_s = usual_gap_s
        if not NEW_PACE * self._gap_s > usual_gap_s > self._gap_s / NEW_PACE:
            self._paced = self._count if self._gap_s else self._paced
            self._gap_s = usual_gap_s
        self._hurry = 0.0
        if usual_gap_s < CALIBRATED_GAP_S:
            self._hurry = HURRY * log10(CALIBRATED_GAP_S / max(usual_gap_s, FASTEST_GAP_S))

    @property
    def age_s(self) -> float:
        """Since its first score."""
        return self._at_s - self._first_s

    def shift(self, by_s: float) -> None:
        """The clock was set; what happened before keeps its distance."""
        self._at_s += by_s
        self._first_s += by_s
        self._low_s += by_s

    def pack(self) -> list[Any]:
        """Everything it knows as plain values, for `unpack`."""
        return [
            self._events, self._weeks, self._pending, self._low_s if self._pending else 0.0, self._low_at, self._at_s,
            self._first_s, self._count, self._gap_s, self._paced, self.level,
        ]  # fmt: skip

    def unpack(self, state: list[Any]) -> None:
        (self._events, self._weeks, self._pending, self._low_s, self._low_at, self._at_s, self._first_s, self._count,
         self._gap_s, self._paced, self.level) = state  # fmt: skip


def weekly_rate(score: float, level: float) -> float:
    """How often a week the metric's history makes one expect an episode with such a score."""
    return BASE_RATE * math.pow(10.0, min(50.0, (level - score) / SLOPE))


def unlikelihood(score: float, level: float) -> float:
    """0..1: the chance that a week of this metric passes without such an episode, by its own history.

    0.78 is where reporting starts (one in four weeks), 0.37 an episode a week.
    """
    return math.exp(-min(700.0, weekly_rate(score, level)))


def raised(per_week: float) -> float:
    """How far above its level a score has to be where only `per_week` events of a metric are wanted (below: < 0)."""
    return SLOPE * math.log10(BASE_RATE / per_week)

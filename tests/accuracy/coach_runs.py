"""One simulated coach through the whole of analytics in simulated time: samples, detectors, checks, rules, insights.

Owns no judgement: it yields what a person would have been told, and when. As fast as the machine goes, and the same for
the same seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import Final

import numpy as np

from actors.insight_desk import InsightDesk
from analytics.catalogue import Catalogue
from analytics.coach_log import SLOT_MS, CoachLog, is_logged
from analytics.coach_watch import CoachWatch
from analytics.records import Insight
from analytics.rules import Rules
from analytics.streaming import Watchlist
from conf.loader import load_catalogue, load_rules
from gateway.demo.coach import DAY_MS, MINUTE_MS, Coach, Stretch
from gateway.demo.faults import Fault
from gateway.demo.oddities import Oddity
from gateway.demo.samples import history_parts
from storage.insight_book import InsightBook
from storage.models import SeriesPart

LOOK_MINUTES: Final = 15
START_DAYS: Final = (20_480, 20_570, 20_660, 20_750)  # days from 1970 in January, April, July and October 2026


@dataclass(frozen=True, slots=True)
class Told:
    """An insight that was new at `at_ms`, or (not `is_new`) one that people were called for only then."""

    at_ms: int
    insight: Insight
    is_new: bool = True
    is_news: bool = True

    @property
    def kind(self) -> str:
        return str(self.insight.evidence["kind"])


@dataclass(frozen=True, slots=True)
class Run:
    told: tuple[Told, ...]
    failed: tuple[str, ...]  # checks that raised
    truth: dict[str, np.ndarray]  # minute by minute while it was watched: columns of the coach
    times: np.ndarray


@lru_cache(maxsize=1)
def shipped() -> tuple[Catalogue, Rules]:
    return load_catalogue(), load_rules()


def start_ms(seed: int) -> int:
    """Each seed lives in another season."""
    return (START_DAYS[seed % 4] + seed % 7) * DAY_MS


def run(
    seed: int,
    *,
    warm_days: float,
    days: float,
    faults: Sequence[Fault] = (),
    oddities: Sequence[Oddity] = (),
    streamed: frozenset[str] | None = None,
) -> Run:
    """`warm_days` of history nobody watches, then `days` with every check on. `streamed`: the metrics that are shown to
    the streaming detectors minute by minute, None: all (that is most of the work of a run)."""
    catalogue, rules = shipped()
    coach = Coach(seed, start_ms(seed), faults=faults, oddities=oddities, schedule=False)
    log = CoachLog()
    watch = CoachWatch(log, partial(_wall, oddities))
    desk = InsightDesk(book=InsightBook(), rules=rules, catalogue=catalogue)
    watchlist = Watchlist(catalogue)
    watched_ms = coach.now_ms + round(warm_days * DAY_MS)
    end_ms = watched_ms + round(days * DAY_MS)
    told: list[Told] = []
    failed: set[str] = set()
    truth: list[Stretch] = []
    while coach.now_ms < end_ms:
        stretch = coach.run(min(coach.now_ms // DAY_MS * DAY_MS + DAY_MS, end_ms))
        parts = history_parts(stretch, MINUTE_MS)
        first_ms, last_ms = int(stretch.times[0]), int(stretch.times[-1])
        _take(log, catalogue, parts, last_ms)  # a look at a slot sees nothing of later ones
        if last_ms <= watched_ms - DAY_MS:
            continue
        truth.append(stretch)
        shown = [part for part in parts if streamed is None or part.name in streamed]
        for index, arrived in enumerate(_by_minute(shown, first_ms, last_ms)):
            now_ms = first_ms + (index + 1) * MINUTE_MS
            findings = watchlist.observe_all(arrived, now_ms) if arrived else []
            findings += watchlist.sweep(now_ms) if shown else []
            if now_ms < watched_ms:
                continue
            if now_ms % (LOOK_MINUTES * MINUTE_MS) == 0:
                findings += watch.look(end_slot=now_ms // SLOT_MS)
                failed.update(f"{check}: {error}" for check, error in watch.failed.items())
            if findings:
                told += [
                    Told(now_ms, change.insight, change.is_new, change.is_news)
                    for change in desk.take(findings, now_ms)
                    if change.is_new or change.is_news
                ]
    columns = {name: np.concatenate([each.columns[name][1:] for each in truth]) for name in truth[0].columns}
    return Run(tuple(told), tuple(sorted(failed)), columns, np.concatenate([each.times[1:] for each in truth]))


def _wall(oddities: Sequence[Oddity], times: np.ndarray) -> np.ndarray:
    """The wall clock of a coach whose days are those of UTC; when the clocks changed it is an hour ahead."""
    for oddity in oddities:
        if oddity.kind == "clock_change":
            times = times + 3_600_000 * ((times >= oddity.start_ms) & (times < oddity.end_ms))
    return times


def _take(log: CoachLog, catalogue: Catalogue, parts: Sequence[SeriesPart], until_ms: int) -> None:
    for part in parts:
        spec = catalogue.spec(part.name)
        if is_logged(spec):
            log.take(part.name, spec, part.times, part.values, until_ms)


def _by_minute(parts: Sequence[SeriesPart], first_ms: int, last_ms: int) -> list[list[SeriesPart]]:
    """What arrives in each minute of (first, last]."""
    edges = np.arange(first_ms, last_ms + 1, MINUTE_MS) + 1
    minutes: list[list[SeriesPart]] = [[] for _ in edges[1:]]
    for part in parts:
        places = part.times.searchsorted(edges).tolist()
        for minute, (begin, end) in enumerate(pairwise(places)):
            if begin < end:
                minutes[minute].append(SeriesPart(part.name, part.times[begin:end], part.values[begin:end]))
    return minutes

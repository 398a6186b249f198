"""Measures how well faults of a coach are told and how quiet sound coaches are.

`python -m tests.accuracy.coach_faults [--workers 2]`. Prints tables in Markdown: per fault how many were told, after
how long, and what else was told meanwhile; clean months and oddities with every false insight; how often an insight of
a given confidence is right. Development and held-out seeds stand apart: thresholds were chosen with the former only.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from analytics.budget import JUDGED
from gateway.demo.coach import DAY_MS
from gateway.demo.faults import FaultKind
from gateway.demo.oddities import ODDITIES, Oddity, OddityKind
from gateway.demo.signals import SIGNALS

from . import calibration
from .coach_plan import CASES, HOUR_MS, WARM_DAYS, Says, planned
from .coach_runs import Run, Told, run, start_ms

DEVELOPMENT: Final = tuple(range(100, 108))
HELD_OUT: Final = tuple(range(900, 908))
_ENDS: Final[dict[str, tuple[str, float, bool]]] = {  # metric -> column, % that is as good as the end, falling
    "battery.house.soc": ("soc", 15.0, True),
    "tank.fresh.level": ("fresh", 15.0, True),
    "tank.gray.level": ("gray", 85.0, False),
    "tank.black.level": ("black", 85.0, False),
    "tank.propane.level": ("propane", 15.0, True),
}
SERVICE: Final = 20.0  # % of a tank: nothing but a hose brings that back
NOTIFIED: Final = ("medium", "high", "critical")  # a low one waits on the page until somebody looks
ODDITY_DAYS: Final[dict[OddityKind, float]] = {
    "clock_change": 6, "cold_snap": 4, "guest_weekend": 3, "heat_wave": 5, "long_drive": 1, "overcast_spell": 3,
    "sensor_replaced": 3, "storage": 12,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FaultResult:
    kind: FaultKind
    seed: int
    counts: bool  # it could matter to somebody
    delay_h: float | None  # None: never told
    right: tuple[tuple[str, float], ...]  # kind and confidence of every insight that is true because of it
    others: tuple[tuple[str, str, float], ...]  # kind, title, confidence of those that are not
    notifications: int
    days: float


@dataclass(frozen=True, slots=True)
class QuietResult:
    what: str
    seed: int
    days: float
    told: tuple[tuple[str, str, str, float], ...]  # kind, severity, title, confidence


def fault_result(kind: FaultKind, seed: int) -> FaultResult:
    case, fault = CASES[kind], planned(kind, seed, start_ms(seed))
    days = (fault.end_ms - start_ms(seed)) / DAY_MS - WARM_DAYS
    streamed = frozenset(metric for _, metric in case.says + case.also if metric is not None)
    if kind == "power_loss":
        streamed = None
    lived = run(seed, warm_days=WARM_DAYS, days=days, faults=[fault], streamed=streamed)
    if lived.failed:
        raise RuntimeError(f"{kind} {seed}: {lived.failed}")
    during = (lived.times >= fault.start_ms) & (lived.times < fault.end_ms)
    truth = {name: values[during] for name, values in lived.truth.items()}
    raised = [told for told in lived.told if told.is_new]
    about = [told for told in raised if _about(told, case.says) and told.at_ms >= fault.start_ms]
    # That the metric which the fault moves behaves strangely is true of it, whatever the kind of strangeness.
    strange: Says = tuple((kind, metric) for _, metric in case.says if metric is not None for kind in JUDGED)
    true = [
        told
        for told in raised
        if (_about(told, case.says + case.also + strange) and told.at_ms >= fault.start_ms) or _came_true(told, lived)
    ]
    others = [told for told in raised if told not in true and not _overtaken(told, lived)]
    return FaultResult(
        kind=kind,
        seed=seed,
        counts=case.matters(truth),
        delay_h=(about[0].at_ms - fault.start_ms) / HOUR_MS if about else None,
        right=tuple((told.kind, told.insight.confidence) for told in true),
        others=tuple((told.kind, told.insight.title, told.insight.confidence) for told in others),
        notifications=sum(told.is_news and told.insight.severity in NOTIFIED for told in lived.told),
        days=days,
    )


def quiet_result(what: OddityKind | None, seed: int, days: float = 30.0) -> QuietResult:
    """A clean life of so many days, or (with `what`) one that an oddity makes unusual, with every detector on."""
    oddities = []
    if what is not None:
        begin_ms = start_ms(seed) + WARM_DAYS * DAY_MS + DAY_MS
        oddities = [Oddity(what, begin_ms, begin_ms + round(ODDITY_DAYS[what] * DAY_MS))]
        days = ODDITY_DAYS[what] + 3
    lived = run(seed, warm_days=WARM_DAYS, days=days, oddities=oddities)
    if lived.failed:
        raise RuntimeError(f"{what} {seed}: {lived.failed}")
    told = tuple(
        (each.kind, each.insight.severity, each.insight.title, each.insight.confidence)
        for each in lived.told
        if each.is_new and not _came_true(each, lived) and not _overtaken(each, lived)
    )
    return QuietResult(what or "clean", seed, days, told)


def _came_true(told: Told, lived: Run) -> bool:
    """A battery or tank that was said to run out of charge, water or room did so within a day (as good as); what was
    said to be beyond a limit is; a generator whose service is due had just run for so long."""
    if told.kind == "service_due":
        hours = float(lived.truth["generator_run_time"][lived.times.searchsorted(told.at_ms)])
        return 0 <= hours - told.insight.evidence["expected_high"] < 24
    if told.kind == "limit":  # it says what is, not what will be
        return _beyond(told, lived)
    column, worst, low = _ENDS.get(told.insight.metric or "", ("soc", 0.0, True))
    if told.kind not in ("empty_ahead", "full_ahead") or not worst:
        return False
    values = lived.truth[column][(lived.times >= told.at_ms) & (lived.times < told.at_ms + DAY_MS)]
    return bool((values <= worst).any() if low else (values >= worst).any())


def _beyond(told: Told, lived: Run) -> bool:
    """The truth is beyond the limit, give or take what its sensor cannot tell."""
    signal = next(signal for signal in SIGNALS if signal.name == told.insight.metric)
    now = float(lived.truth[signal.column][lived.times.searchsorted(told.at_ms)])
    roughly = 1.0 if signal.unit == "%" else signal.grain + 3 * signal.noise
    low, high = told.insight.evidence["expected_low"], told.insight.evidence["expected_high"]
    return (low is not None and now <= low + roughly) or (high is not None and now >= high - roughly)


def _overtaken(told: Told, lived: Run) -> bool:
    """A tank was filled or emptied before it came to what was foretold: neither right nor wrong."""
    column, _, low = _ENDS.get(told.insight.metric or "", ("soc", 0.0, True))
    if told.kind not in ("empty_ahead", "full_ahead") or column == "soc":
        return False
    until_ms = told.at_ms + told.insight.evidence["hours_left"] * HOUR_MS
    values = lived.truth[column][(lived.times >= told.at_ms) & (lived.times < until_ms)]
    levels = values if low else -values
    return bool((levels - np.minimum.accumulate(levels) > SERVICE).any())


def _about(told: Told, says: Iterable[tuple[str, str | None]]) -> bool:
    return any(told.kind == kind and metric in (None, told.insight.metric) for kind, metric in says)


def fault_table(results: Sequence[FaultResult]) -> list[str]:
    lines = [
        "| fault | counted | told | recall | median delay | worst delay | other insights (notified) a day |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in sorted({result.kind for result in results}):
        of_kind = [result for result in results if result.kind == kind and result.counts]
        delays = sorted(result.delay_h for result in of_kind if result.delay_h is not None)
        notified = sum(result.notifications for result in of_kind) / max(1e-9, sum(result.days for result in of_kind))
        others = sum(len(result.others) for result in of_kind) / max(1e-9, sum(result.days for result in of_kind))
        lines.append(
            f"| {kind} | {len(of_kind)} | {len(delays)} | {len(delays) / len(of_kind):.2f} "
            f"| {statistics.median(delays):.1f} h | {delays[-1]:.1f} h | {others:.2f} ({notified:.2f}) |"
            if delays
            else f"| {kind} | {len(of_kind)} | 0 | {'0' if of_kind else '-'} | - | - | {others:.2f} ({notified:.2f}) |"
        )
    counted = [result for result in results if result.counts]
    told = sum(result.delay_h is not None for result in counted)
    lines.append(f"| **all** | {len(counted)} | {told} | **{told / max(1, len(counted)):.3f}** | | | |")
    return lines


def quiet_table(results: Sequence[QuietResult]) -> list[str]:
    lines = ["| life | coaches | days | insights | notified | what |", "|---|---|---|---|---|---|"]
    for what in sorted({result.what for result in results}):
        of = [result for result in results if result.what == what]
        told = [each for result in of for each in result.told]
        kinds = sorted({f"{kind}: {title}" for kind, _, title, _ in told})
        lines.append(
            f"| {what} | {len(of)} | {sum(result.days for result in of):.0f} | {len(told)} "
            f"| {sum(severity in NOTIFIED for _, severity, _, _ in told)} | {'; '.join(kinds[:6])} |"
        )
    return lines


def verdicts(faults: Sequence[FaultResult], quiet: Sequence[QuietResult]) -> list[tuple[float, bool]]:
    """Of each insight its confidence, and whether it was right: about a fault that was there."""
    told = [(confidence, True) for result in faults for _, confidence in result.right]
    told += [(confidence, False) for result in faults for _, _, confidence in result.others]
    return told + [(confidence, False) for result in quiet for _, _, _, confidence in result.told]


def measure(
    seeds: Sequence[int], kinds: Sequence[FaultKind], *, quiet: bool, workers: int
) -> tuple[list[FaultResult], list[QuietResult]]:
    fault_jobs = [(kind, seed) for kind in kinds for seed in seeds if seed % 4 in CASES[kind].seasons]
    quiet_jobs: list[tuple[OddityKind | None, int]] = []
    if quiet:
        quiet_jobs = [(None, seed) for seed in seeds[:4]]
        quiet_jobs += [(what, seed) for what in ODDITIES for seed in seeds[:4]]
    with ProcessPoolExecutor(workers) as pool:
        faults = list(pool.map(partial(_apply, fault_result), fault_jobs))
        lives = list(pool.map(partial(_apply, quiet_result), quiet_jobs))
    return faults, lives


def _apply(function, job):  # type: ignore[no-untyped-def]
    return function(*job)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=len(DEVELOPMENT), help="how many of each set")
    parser.add_argument("--only", choices=("development", "held-out"))
    parser.add_argument("--faults", nargs="*", choices=sorted(CASES), default=sorted(CASES))
    parser.add_argument("--no-quiet", action="store_true", help="without clean months and oddities")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    for name, seeds in (("development", DEVELOPMENT), ("held-out", HELD_OUT)):
        if asked.only not in (None, name):
            continue
        faults, lives = measure(seeds[: asked.seeds], asked.faults, quiet=not asked.no_quiet, workers=asked.workers)
        print(f"\n## Faults of a coach, {name} seeds {seeds[0]} to {seeds[asked.seeds - 1]}\n")
        print(
            "\n".join([*fault_table(faults), "", *quiet_table(lives), "", *calibration.table(verdicts(faults, lives))])
        )
        if asked.verbose:
            for result in faults:
                print(result)
            for life in lives:
                print(life)
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A finer look at what repeats: a period found in means of an hour may be a faster one seen through that grid.

Seventeen minutes looked at every hour are seventeen hours. The means cannot tell, the samples can: a period too short
for the grid, found in a finer look at the newest samples, takes the place of what the grid showed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .catalogue import Catalogue
from .periods import MIN_PERIOD
from .records import Pattern
from .regularities import short_period_patterns
from .robust import Times, Values

Look = tuple[Times, Values]


def told_a_period(patterns: Iterable[Pattern], catalogue: Catalogue) -> list[str]:
    """The gauges of which a period is told that is neither the day nor the week."""
    names = (each.metric for each in patterns if _is_period(each))
    return [name for name in dict.fromkeys(names) if catalogue.spec(name).kind == "gauge"]


def looked_at_again(
    patterns: Sequence[Pattern], looks: Mapping[str, Sequence[Look]], catalogue: Catalogue, now_ms: int, step_ms: int
) -> list[Pattern]:
    """`patterns`, found on a grid of `step_ms`, after finer looks at some metrics (the finest first)."""
    instead: dict[str, list[Pattern]] = {}
    partners = {each.metric: each.correlation_factors for each in patterns}
    for name, finer in looks.items():
        for times, values in finer:
            found = short_period_patterns(
                name, times, values, catalogue.spec(name), now_ms=now_ms, partners=partners.get(name, ())
            )
            if found and found[0].data["period_seconds"] * 1000 < MIN_PERIOD * step_ms:
                instead[name] = found
                break
    kept = [each for each in patterns if each.metric not in instead or not _is_period(each)]
    return kept + [each for found in instead.values() for each in found]


def _is_period(pattern: Pattern) -> bool:
    return pattern.pattern_type == "cyclical" and "period_seconds" in pattern.data

"""Checks of the fresh water: what goes that nobody uses, and a level that stands still while water is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from .coach_log import SLOT_MS, Track
from .coach_sign import Sign
from .coach_use import Account, blocks, falls, learn, rises, serviced
from .coach_view import CoachView, Mask, coverage, known
from .records import FindingKind
from .robust import Values
from .words import duration, number

BLOCK: Final = 24  # slots: two hours, so that a shower and its way to the waste tank fall into one
LEAK_HOURS: Final = (4.0, 8.0)
LEAST_LOST: Final = 3.5  # %, two and a half steps of a usual sensor beyond its grain at both ends
LEAST_USED: Final = 10.0  # % that should have gone while the level stood still
BRIMFUL: Final = 98.0  # % from which on a waste tank does not show what arrives
ON_ITS_WAY: Final = 6  # slots: what arrives so soon after the level stopped had left the tank before
GRAIN: Final = 0.6  # % within which a level stands still


def leak(view: CoachView) -> Iterator[Sign]:
    """Fresh water that went and did not arrive in a waste tank."""
    fresh = view.first("fresh_tank")
    if fresh is None:
        return
    account, used, arrived, calm = _account(view, fresh)
    if account is None:
        return
    worst: Sign | None = None
    for hours in LEAK_HOURS:
        span = view.last(hours)
        some = calm[span]
        if some.mean() < 0.7:
            continue
        shares = [one[span][some] for one in arrived]
        expected = account.explains(shares)
        lost = float(used[span][some].sum()) - expected
        least = max(LEAST_LOST, 5 * account.spread * np.sqrt(hours * 12 / BLOCK), 4 * account.doubt(shares))
        sign = Sign(
            kind=FindingKind.LEAK, track=fresh, strength=lost / least, span=span, value=float(fresh.mean[-1]),
            direction="below", cover=min(coverage(fresh.mean[span]), float(some.mean())),
            facts={
                "lost": number(lost, "%"), "span": duration(hours * 3_600_000),
                "rate": f"{number(lost / hours, None)} % an hour",
            },
            numbers={"lost": lost, "used_by_people": expected, "hours": hours},
        )  # fmt: skip
        if worst is None or sign.strength > worst.strength:
            worst = sign
    if worst is not None:
        yield worst


def level_stuck(view: CoachView) -> Iterator[Sign]:
    """Water arrives in the waste tanks, and the fresh water's level has not moved."""
    fresh = view.first("fresh_tank")
    if fresh is None or not np.isfinite(fresh.mean[-1]):
        return
    account, _, arrived, _ = _account(view, fresh)
    if account is None:
        return
    moved = np.flatnonzero(np.abs(known(fresh.mean, np.inf) - fresh.mean[-1]) > GRAIN)
    first = int(moved[-1]) + 1 if len(moved) else 0
    span = slice(min(first + ON_ITS_WAY, view.slots - 1), view.slots)
    used = account.explains([one[span] for one in arrived])
    yield Sign(
        kind=FindingKind.LEVEL_STUCK, track=fresh, strength=used / LEAST_USED, span=span, value=float(fresh.mean[-1]),
        cover=coverage(fresh.mean[view.last(6)]),
        facts={"used": number(used, "%"), "span": duration((view.slots - first) * SLOT_MS)},
        numbers={"expected_fall": used},
    )  # fmt: skip


def _account(view: CoachView, fresh: Track) -> tuple[Account | None, Values, list[Values], Mask]:
    """What explains the fall of the fresh water: account (of the days before the last half), falls, arrivals, calm."""
    wastes = view.all("waste_tank")
    used = falls(fresh.mean)
    arrived = [rises(waste.mean) for waste in wastes]
    calm = ~serviced(fresh.mean, waste=False) & np.isfinite(fresh.mean)
    for waste in wastes:
        calm &= ~serviced(waste.mean, waste=True) & (known(waste.mean, 0.0) < BRIMFUL)
    before = view.before(12, 10)
    summed, good = blocks(used[before], calm[before], BLOCK)
    consumers = [blocks(one[before], calm[before], BLOCK)[0] for one in arrived]
    lively = good & (sum(consumers, np.zeros(len(summed))) + summed > 0)
    return (learn(summed, consumers, lively) if consumers else None), used, arrived, calm

"""A check of the propane: what goes beyond what furnace, water heater and the stove's usual share burn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from .coach_sign import Sign
from .coach_use import blocks, falls, learn, serviced
from .coach_view import CoachView, coverage, known
from .records import FindingKind
from .words import duration, number

BLOCK: Final = 72  # slots: six hours, since a level in steps of half a per cent says little sooner
WINDOWS_H: Final = (12.0, 24.0)
LEAST_LOST: Final = 2.5  # %
SHARE_MORE: Final = 0.5


def propane_use(view: CoachView) -> Iterator[Sign]:
    track = view.first("propane_tank")
    if track is None:
        return
    burners = view.all("furnace_state", "water_heater_state")
    used, calm = falls(track.mean), ~serviced(track.mean, waste=False) & np.isfinite(track.mean)
    running = [known(burner.mean, 0.0) for burner in burners]
    running.append(np.full(view.slots, 1.0))  # the stove and pilot lights, whatever the day
    before = view.before(30, 12)
    summed, good = blocks(used[before], calm[before], BLOCK)
    account = learn(summed, [blocks(one[before], calm[before], BLOCK)[0] for one in running], good)
    if account is None:
        return
    worst: Sign | None = None
    for hours in WINDOWS_H:
        span = view.last(hours)
        some = calm[span]
        if some.mean() < 0.8:
            continue
        shares = [one[span][some] for one in running]
        expected = account.explains(shares)
        lost = float(used[span][some].sum()) - expected
        least = max(LEAST_LOST, 4 * account.spread * np.sqrt(hours * 12 / BLOCK), SHARE_MORE * expected)
        least += 3 * account.doubt(shares)
        sign = Sign(
            kind=FindingKind.USE_GREW, track=track, strength=lost / least, span=span, value=float(track.mean[-1]),
            direction="below", cover=coverage(track.mean[span]),
            facts={
                "lost": number(lost, "%"), "span": duration(hours * 3_600_000),
                "rate": f"{number(lost / hours * 24, None)} % a day",
            },
            numbers={"unexplained": lost, "explained": expected, "hours": hours},
        )  # fmt: skip
        if worst is None or sign.strength > worst.strength:
            worst = sign
    if worst is not None:
        yield worst

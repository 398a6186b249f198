"""Writes the past of the simulated coach into an archive, before the service starts on it.

An archive that already holds the coach's history is continued: the coach starts in the state that the last
samples tell, and the time since is filled. Promises: what is stored is never overwritten by another world
(UnfitArchiveError); the coach that is returned stands at the end of the written history and goes on from
there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from analytics.kpi_catalogue import PREFIX
from storage.archive import Archive

from .coach import DAY_MS, MINUTE_MS, Coach, state_from
from .faults import Fault
from .physics import State
from .samples import history_parts
from .signals import SIGNALS

FINE_MS: Final = 2 * DAY_MS  # the last two days by the minute
FINE_STEP_MS: Final = MINUTE_MS
COARSE_STEP_MS: Final = 5 * MINUTE_MS  # what is older
CHUNK_MS: Final = DAY_MS // 2
_FOREVER_MS: Final = 1 << 52


class UnfitArchiveError(Exception):
    """The archive holds something else than the history of this coach, or one from the future."""


async def write_history(
    archive: Archive,
    *,
    seed: int,
    days: float,
    now_ms: int,
    utc_offset_ms: int = 0,
    faults: tuple[Fault, ...] = (),
    progress: Callable[[float], None] = lambda fraction: None,
) -> Coach:
    """Fill `archive` up to the last full minute. Raises ArchiveError, UnfitArchiveError."""
    end_ms = now_ms // MINUTE_MS * MINUTE_MS
    start_ms = end_ms - round(days * DAY_MS)
    last_ms, state = await _continuation(archive, end_ms)
    if last_ms is not None:
        start_ms = max(start_ms, last_ms)
    coach = Coach(seed, start_ms, state=state, utc_offset_ms=utc_offset_ms, faults=faults)
    begin_ms = coach.now_ms
    while coach.now_ms < end_ms:
        coarse = coach.now_ms < end_ms - FINE_MS
        until_ms = min(coach.now_ms + CHUNK_MS, end_ms - FINE_MS if coarse else end_ms)
        stretch = coach.run(until_ms)
        await archive.append(history_parts(stretch, COARSE_STEP_MS if coarse else FINE_STEP_MS))
        progress((coach.now_ms - begin_ms) / (end_ms - begin_ms))
    return coach


async def _continuation(archive: Archive, end_ms: int) -> tuple[int | None, State | None]:
    """When the stored history ends and how the coach was then; (None, None) for an empty archive."""
    names = await archive.names()
    known = {signal.name for signal in SIGNALS}
    strangers = [name for name in names if name not in known and not name.startswith(PREFIX)]
    names = [name for name in names if name in known]
    if strangers:
        raise UnfitArchiveError(f"holds {strangers[0]} and other metrics that are not the simulated coach's")
    if not names:
        return None, None
    latest = await archive.window(names, 0, _FOREVER_MS, limit=1)
    last_ms = max(int(window.times[-1]) for window in latest.values())
    if last_ms > end_ms + 2 * MINUTE_MS:
        raise UnfitArchiveError("holds samples from the future")
    return last_ms, state_from({name: float(window.values[-1]) for name, window in latest.items()})

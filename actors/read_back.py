"""The archive's latest samples, read back into memory when a process starts.

Promises: what is read at once is bounded by time, whatever the clock says. A computer that starts in 1970 holds its
archive for a future of decades; of that the last hours come back, as if its newest sample were of now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from storage.archive import Archive
from storage.intake import FUTURE_MS
from storage.memory import MemoryTier

AT_ONCE: Final = 64  # metrics
FOR_EVER_MS: Final = 2**52


async def read_back(archive: Archive, memory: MemoryTier, now_ms: int, span_ms: int) -> None:
    """Samples of the `span_ms` before `now_ms`, and before the newest that lies ahead of it. Raises ArchiveError."""
    names, said = await archive.names(), await archive.metadata()
    ahead_ms = now_ms + FUTURE_MS
    spans = [(now_ms - span_ms, ahead_ms)]
    newest_ms = await _newest_ms(archive, names, ahead_ms)
    if newest_ms is not None:
        spans.append((max(newest_ms - span_ms, ahead_ms), FOR_EVER_MS))
    for some in _groups(names):
        for start_ms, end_ms in spans:
            for name, window in (await archive.window(some, start_ms, end_ms)).items():
                memory.restore(name, window, said.get(name))
    memory.mark_restored(spans[-1][0])


async def _newest_ms(archive: Archive, names: Sequence[str], after_ms: int) -> int | None:
    """Of the samples after `after_ms`; None: there are none."""
    found = [
        int(window.times[-1])
        for some in _groups(names)
        for window in (await archive.window(some, after_ms, FOR_EVER_MS, 1)).values()
    ]
    return max(found, default=None)


def _groups(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[first : first + AT_ONCE] for first in range(0, len(names), AT_ONCE))

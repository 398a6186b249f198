"""Writes a recording into an archive file, without a running service.

Promises: rows are committed in batches, so that memory stays bounded and an import that was cut short can be
run again (equal times replace). Bad rows are counted and the first of them named; they hold nothing up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct, field

from storage.archive import Archive
from storage.intake import rounded
from storage.models import SeriesPart

from .recording import BadRow, Recording, Row

BATCH_ROWS: Final = 10_000
PACK_SAMPLES: Final = 500_000  # packed at once while the import goes on
MAX_NAMED: Final = 20


class Import(Struct):
    """What became of the rows so far."""

    stored: int = 0  # rows; of two with equal metric and time the later one is kept
    bad: int = 0
    named: list[BadRow] = field(default_factory=list)  # the first MAX_NAMED bad ones
    first_ms: int | None = None
    last_ms: int | None = None


async def import_recording(
    recording: Recording,
    archive: Archive,
    *,
    resolution_ms: int = 1,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Import:
    """Timestamps are kept to `resolution_ms`. At the end everything is packed. Raises RecordingError and ArchiveError:
    what was committed until then stays."""
    done, batch = Import(), []
    for row in recording:
        if isinstance(row, BadRow):
            done.bad += 1
            if len(done.named) < MAX_NAMED:
                done.named.append(row)
            continue
        batch.append(row)
        if len(batch) >= BATCH_ROWS:
            await _commit(batch, archive, done, resolution_ms)
            batch = []
            await archive.compact(PACK_SAMPLES)
            while await archive.thin():
                progress(recording.fraction)
            progress(recording.fraction)
    if batch:
        await _commit(batch, archive, done, resolution_ms)
    while await archive.compact(1):
        progress(recording.fraction)
    progress(1.0)
    return done


async def _commit(batch: Sequence[Row], archive: Archive, done: Import, resolution_ms: int) -> None:
    await archive.append([rounded(part, resolution_ms) for part in series(batch)])
    times = [row.time_ms for row in batch]
    done.stored += len(batch)
    done.first_ms = min(times) if done.first_ms is None else min(done.first_ms, *times)
    done.last_ms = max(times) if done.last_ms is None else max(done.last_ms, *times)


def series(batch: Sequence[Row]) -> list[SeriesPart]:
    """One part a metric, rows in the order of the batch."""
    columns: dict[str, tuple[list[int], list[float]]] = {}
    for row in batch:
        times, values = columns.setdefault(row.name, ([], []))
        times.append(row.time_ms)
        values.append(row.value)
    return [
        SeriesPart(name, np.array(times, dtype=np.int64), np.array(values, dtype=np.float64))
        for name, (times, values) in columns.items()
    ]

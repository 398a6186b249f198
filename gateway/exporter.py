"""Writes samples as CSV of metric_name, timestamp (unix seconds), value: what `import` and `replay` read.

Promises: constant memory, whatever the span; every sample the archive keeps as it came is there, bit for bit, in order
of name and time. Where only buckets are left of an old span, each is one row: its mean, at its start.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TextIO

from storage.models import Buckets, Window

HEADER: Final = ("metric_name", "timestamp", "value")
EVER_MS: Final = 2**52
LOOK_MS: Final = 86_400_000  # a look at what is there, before it is read
MOST_ROWS: Final = 100_000  # samples read at once


class Readable(Protocol):
    """The reading half of an archive."""

    async def names(self) -> list[str]: ...

    async def window(self, names: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Window]: ...

    async def buckets(
        self, names: Sequence[str], start_ms: int, end_ms: int, step_ms: int
    ) -> Mapping[str, Buckets]: ...


@dataclass(slots=True)
class Export:
    rows: int = 0
    metrics: int = 0  # with at least one row
    unknown: tuple[str, ...] = ()  # asked for by name, and nothing was there


async def export_samples(
    archive: Readable,
    text: TextIO,
    *,
    start_ms: int | None = None,
    end_ms: int | None = None,
    metrics: Sequence[str] = (),
    progress: Callable[[float], None] = lambda fraction: None,
) -> Export:
    """Span [start, end); all metrics when none is named. Raises ArchiveError and OSError."""
    start_ms = -EVER_MS if start_ms is None else start_ms
    end_ms = EVER_MS if end_ms is None else end_ms
    names = list(metrics) or await archive.names()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(HEADER)
    done, unknown = Export(), []
    for index, name in enumerate(names):
        before = done.rows
        days = (await archive.buckets([name], start_ms, end_ms, LOOK_MS)).get(name)
        for from_ms, to_ms in _spans(days):
            window = (await archive.window([name], max(from_ms, start_ms), min(to_ms, end_ms))).get(name)
            if window is not None:
                seconds = map(seconds_text, window.times.tolist())
                rows.writerows(zip([name] * len(window), seconds, map(repr, window.values.tolist()), strict=True))
                done.rows += len(window)
        done.metrics += done.rows > before
        if metrics and done.rows == before:
            unknown.append(name)
        progress((index + 1) / len(names))
    done.unknown = tuple(unknown)
    return done


def seconds_text(time_ms: int) -> str:
    """Unix seconds, exactly: three decimals, or none for a whole second."""
    whole, rest = divmod(abs(time_ms), 1000)
    sign = "-" if time_ms < 0 else ""
    return f"{sign}{whole}.{rest:03}" if rest else f"{sign}{whole}"


def _spans(days: Buckets | None) -> Iterator[tuple[int, int]]:
    """Neighbouring days together while they are small, a crowded one in parts."""
    if days is None:
        return
    held: tuple[int, int] | None = None
    waiting = 0
    for start, count in zip(days.starts.tolist(), days.count.tolist(), strict=True):
        if held is not None and waiting + count <= MOST_ROWS:
            held, waiting = (held[0], start + LOOK_MS), waiting + count
            continue
        if held is not None:
            yield held
        if count <= MOST_ROWS:
            held, waiting = (start, start + LOOK_MS), count
            continue
        held, waiting = None, 0
        step = max(1, LOOK_MS * MOST_ROWS // count)
        for at in range(start, start + LOOK_MS, step):
            yield at, min(at + step, start + LOOK_MS)
    if held is not None:
        yield held

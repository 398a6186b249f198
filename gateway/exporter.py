"""Writes samples as CSV of metric_name, timestamp (unix seconds), value: what `import` and `replay` read.

Promises: constant memory, whatever the span; every sample the archive keeps as it came is there, bit for bit, in order
of name and time; no name is a formula to a spreadsheet. Where only buckets are left of an old span, each is one row:
its mean, at its start.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, TextIO

from msgspec import Struct

from storage.models import Buckets, Window

from .recording import guarded

HEADER: Final = ("metric_name", "timestamp", "value")
EVER_MS: Final = 2**52
LOOKS_MS: Final = (86_400_000, 3_600_000, 60_000, 1_000)  # how much lies where, before it is read: days, hours ...
MOST_ROWS: Final = 100_000  # samples read at once


class Readable(Protocol):
    """The reading half of an archive."""

    async def names(self) -> list[str]: ...

    async def window(self, names: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Window]: ...

    async def buckets(
        self, names: Sequence[str], start_ms: int, end_ms: int, step_ms: int
    ) -> Mapping[str, Buckets]: ...


class Export(Struct):
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
        for from_ms, to_ms in await _spans(archive, name, start_ms, end_ms):
            window = (await archive.window([name], from_ms, to_ms)).get(name)
            if window is not None:
                seconds = map(seconds_text, window.times.tolist())
                rows.writerows(
                    zip([guarded(name)] * len(window), seconds, map(repr, window.values.tolist()), strict=True)
                )
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


async def _spans(
    archive: Readable, name: str, start_ms: int, end_ms: int, looks_ms: Sequence[int] = LOOKS_MS
) -> list[tuple[int, int]]:
    """Spans that hold all its samples and about MOST_ROWS at most: small days together, a crowded one in parts."""
    spans: list[tuple[int, int]] = []
    waiting = MOST_ROWS + 1  # rows in the last span
    step_ms = looks_ms[0]
    cells = (await archive.buckets([name], start_ms, end_ms, step_ms)).get(name)
    if cells is None:
        return spans
    for start, count in zip(cells.starts.tolist(), cells.count.tolist(), strict=True):
        from_ms, to_ms = max(start, start_ms), min(start + step_ms, end_ms)
        if count > MOST_ROWS and len(looks_ms) > 1:
            spans += await _spans(archive, name, from_ms, to_ms, looks_ms[1:])
            waiting = MOST_ROWS + 1
        elif waiting + count <= MOST_ROWS:
            spans[-1], waiting = (spans[-1][0], to_ms), waiting + count
        else:
            spans.append((from_ms, to_ms))
            waiting = count
    return spans

"""The chunk: runs of samples, or of buckets, as one blob. The format stands in docs/FORMAT.md.

A chunk holds one run of one metric, or many short runs of many metrics side by side in the same columns: a metric with
nine samples pays two numbers in a directory in place of a row and two compressed columns. Promises: times and values of
samples come back bit for bit; of buckets starts, counts, minima and maxima do, and the mean to within 1/8190 of the
bucket's range (it is stored as twelve bits between minimum and maximum). A flipped bit anywhere is noticed (CRC).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from .column import ColumnError, pack_column, pack_times, unpack_column
from .models import Buckets, Times, Values, Window

VERSION: Final = 1
SAMPLES, BUCKETS = 1, 2  # codecs: what the column `codec` of a row and the second byte of a blob say
_HEAD: Final = struct.Struct("<BBHII")  # version, codec, reserved, runs, step in ms (0: samples)
_ONE: Final = struct.Struct("<QI")  # the directory of a single run: metric, items
_LENGTH: Final = struct.Struct("<I")
_SEALED: Final = struct.Struct("<QQqqQB")  # what the CRC covers besides the blob
_MEAN_LEVELS: Final = 4095
_MOST: Final = np.finfo(np.float64).max


class ChunkError(Exception):
    """The chunk is damaged, or was written by a version that knows more."""


class Thinned(Struct, frozen=True):
    """Buckets in place of the samples that lay in [first_ms, last_ms]."""

    first_ms: int
    last_ms: int
    buckets: Buckets


class Run(Struct, frozen=True):
    """Samples or buckets of one metric, starts strictly rising, at least one."""

    metric_id: int
    data: Window | Thinned

    @property
    def first_ms(self) -> int:
        """Of its first sample or, when that is earlier, the start of its first bucket."""
        if isinstance(self.data, Window):
            return int(self.data.times[0])
        return min(self.data.first_ms, int(self.data.buckets.starts[0]))

    @property
    def last_ms(self) -> int:
        return int(self.data.times[-1]) if isinstance(self.data, Window) else self.data.last_ms

    @property
    def samples(self) -> int:
        """How many samples it stands for."""
        return len(self.data) if isinstance(self.data, Window) else int(self.data.buckets.count.sum())


class Chunk(Struct, frozen=True):
    """One row of analytics_chunks, or of analytics_journal. `count`: samples it stands for."""

    metric_id: int  # the lowest
    last_metric_id: int  # the highest
    start_ms: int
    end_ms: int  # of the last sample
    count: int
    codec: int
    crc: int
    data: bytes


def encode(runs: Sequence[Run], level: int) -> Chunk:
    """`runs` hold samples only, or buckets of one step only."""
    windows = [run.data for run in runs if isinstance(run.data, Window)]
    thinned = [run.data for run in runs if isinstance(run.data, Thinned)]
    items = np.array([_items(run) for run in runs], dtype=np.int64)
    if windows:
        codec, step_ms, columns = SAMPLES, 0, _sample_columns(windows, level)
    else:
        codec, step_ms, columns = BUCKETS, thinned[0].buckets.step_ms, _bucket_columns(thinned, level)
    if len(runs) == 1:
        directory = _ONE.pack(runs[0].metric_id, int(items[0]))
    else:
        ids = np.array([run.metric_id for run in runs], dtype=np.int64)
        directory = _framed(pack_column(ids, level)) + _framed(pack_column(items, level))
    data = b"".join((_HEAD.pack(VERSION, codec, 0, len(runs), step_ms), directory, *map(_framed, columns)))
    ids_there = [run.metric_id for run in runs]
    chunk = Chunk(
        metric_id=min(ids_there),
        last_metric_id=max(ids_there),
        start_ms=min(run.first_ms for run in runs),
        end_ms=max(run.last_ms for run in runs),
        count=sum(run.samples for run in runs),
        codec=codec,
        crc=0,
        data=data,
    )
    return replace(chunk, crc=seal(chunk))


def seal(chunk: Chunk) -> int:
    """CRC-32 over a row's numbers and its blob."""
    numbers = (chunk.metric_id, chunk.last_metric_id, chunk.start_ms, chunk.end_ms, chunk.count, chunk.codec)
    try:
        return zlib.crc32(chunk.data, zlib.crc32(_SEALED.pack(*numbers)))
    except (struct.error, TypeError):  # what no chunk can have: whatever the row says, it can't be this
        return -1


def decode(chunk: Chunk, only: int | None = None) -> list[Run]:
    """Its runs, arrays read-only; with `only`: those of one metric. Raises ChunkError."""
    ids, items, reader, codec, step_ms = _opened(chunk)
    ends = np.cumsum(items)
    total = int(ends[-1])
    chosen = range(len(ids)) if only is None else np.flatnonzero(ids == only).tolist()
    if not len(chosen):
        return []
    try:
        if codec == SAMPLES:
            times, values = reader.column("int64", total), reader.column("float64", total)
            return [
                Run(int(ids[index]), Window(times[end - size : end], values[end - size : end]))
                for index in chosen
                for end, size in ((int(ends[index]), int(items[index])),)
            ]
        return _bucket_runs(reader, ids, items, ends, step_ms, chosen)
    except ColumnError as error:
        raise ChunkError(str(error)) from error


def flat(chunk: Chunk) -> tuple[NDArray[np.int64], Times, Values]:
    """All samples at once: metric, time and value of each, runs in the order they were given. Raises ChunkError."""
    ids, items, reader, codec, _ = _opened(chunk)
    if codec != SAMPLES:
        raise ChunkError("it holds buckets, where samples are expected")
    total = int(items.sum())
    try:
        times, values = reader.column("int64", total), reader.column("float64", total)
    except ColumnError as error:
        raise ChunkError(str(error)) from error
    return np.repeat(ids, items), times, values


def directory(chunk: Chunk) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The metric of each run and how many items it has, without unpacking them. Raises ChunkError."""
    ids, items, *_ = _opened(chunk)
    return ids, items


def _opened(chunk: Chunk) -> tuple[NDArray[np.int64], NDArray[np.int64], _Reader, int, int]:
    data = chunk.data
    if seal(chunk) != chunk.crc:
        raise ChunkError("its checksum does not fit")
    if len(data) < _HEAD.size:
        raise ChunkError("it is cut short")
    version, codec, _, runs, step_ms = _HEAD.unpack_from(data)
    if version != VERSION or codec not in (SAMPLES, BUCKETS):
        raise ChunkError(f"its format (version {version}, codec {codec}) is unknown to this version")
    reader = _Reader(data, _HEAD.size)
    try:
        if runs == 1:
            metric_id, size = reader.numbers(_ONE)
            ids, items = np.array([metric_id], dtype=np.int64), np.array([size], dtype=np.int64)
        else:
            ids, items = reader.column("int64", runs), reader.column("int64", runs)
    except (ColumnError, struct.error) as error:
        raise ChunkError(f"its directory can't be read: {error}") from error
    return ids, items, reader, codec, step_ms


class _Reader:
    """Columns one after the other."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def numbers(self, shape: struct.Struct) -> tuple[Any, ...]:
        found = shape.unpack_from(self._data, self._at)
        self._at += shape.size
        return found

    def column(self, dtype: str, size: int) -> NDArray[Any]:
        if self._at + _LENGTH.size > len(self._data):
            raise ColumnError("it is cut short")
        (length,) = self.numbers(_LENGTH)
        blob = self._data[self._at : self._at + length]
        self._at += length
        column = unpack_column(blob, dtype, size)
        column.flags.writeable = False
        return column


def _framed(column: bytes) -> bytes:
    return _LENGTH.pack(len(column)) + column


def _items(run: Run) -> int:
    return len(run.data) if isinstance(run.data, Window) else len(run.data.buckets)


def _sample_columns(windows: Sequence[Window], level: int) -> list[bytes]:
    if len(windows) == 1:
        times, values = windows[0].times, windows[0].values
    else:
        times = np.concatenate([window.times for window in windows])
        values = np.concatenate([window.values for window in windows])
    return [pack_times(times, level), pack_column(values, level)]


def _bucket_columns(thinned: Sequence[Thinned], level: int) -> list[bytes]:
    firsts = np.array([each.first_ms for each in thinned], dtype=np.int64)
    lasts = np.array([each.last_ms for each in thinned], dtype=np.int64)
    starts = np.concatenate([each.buckets.starts for each in thinned]) // thinned[0].buckets.step_ms
    counts = np.concatenate([each.buckets.count for each in thinned])
    low = np.concatenate([each.buckets.minimum for each in thinned])
    high = np.concatenate([each.buckets.maximum for each in thinned])
    mean = np.concatenate([each.buckets.total for each in thinned]) / counts
    half = np.maximum(high / 2 - low / 2, np.finfo(np.float64).tiny)  # halves: the range itself may overflow
    part = np.rint(((mean / 2 - low / 2) / half).clip(0.0, 1.0) * _MEAN_LEVELS).astype(np.uint16)
    return [
        pack_column(firsts, level),
        pack_column(lasts, level),
        pack_times(starts, level),
        *(pack_column(column, level) for column in (counts, low, high, part)),
    ]


def _bucket_runs(
    reader: _Reader,
    ids: NDArray[np.int64],
    items: NDArray[np.int64],
    ends: NDArray[np.int64],
    step_ms: int,
    chosen: Sequence[int],
) -> list[Run]:
    runs, total = len(ids), int(ends[-1])
    firsts, lasts = reader.column("int64", runs), reader.column("int64", runs)
    starts: Times = reader.column("int64", total) * step_ms
    counts = reader.column("int64", total)
    low, high = reader.column("float64", total), reader.column("float64", total)
    part = reader.column("uint16", total) / _MEAN_LEVELS
    mean = low * (1.0 - part) + high * part
    with np.errstate(over="ignore"):
        totals = (mean * counts).clip(-_MOST, _MOST)
    found = []
    for index in chosen:
        cut = slice(int(ends[index] - items[index]), int(ends[index]))
        buckets = Buckets(step_ms, starts[cut], counts[cut], totals[cut], low[cut], high[cut])
        found.append(Run(int(ids[index]), Thinned(int(firsts[index]), int(lasts[index]), buckets)))
    return found

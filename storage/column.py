"""A column on disk: one array of a chunk as bytes, and back, bit for bit. The format stands in docs/FORMAT.md.

Three forms, told apart by the first byte:
- `P` pcodec (https://github.com/pcodec/pcodec), for whatever gets smaller by it;
- `L` times near a straight line: the line (first time, step), then pcodec of how far each time lies off it. A sensor
  polled by a timer jitters around its schedule; differences from one to the next would carry that jitter twice;
- `R` the items as they are, little-endian.

The memory tier's columns (`codec.py`) are made for speed and never leave the process; these are made to last.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, DeltaSpec, ModeSpec, standalone

from .models import Times

TIGHT: Final = 8  # pcodec's levels: for chunks, which stay
QUICK: Final = 4  # for the journal, which is gone within the hour
_RAW, _PCO, _LINE = b"R", b"P", b"L"
_LINE_HEAD: Final = struct.Struct("<qd")
_LINE_SAMPLES: Final = 64  # shorter columns: the line costs more than it saves
_FAR: Final = 2.0**60
_SNAP: Final = 0.02  # a step this near a whole millisecond is one


class ColumnError(Exception):
    """The bytes are not a column of that kind."""


def pack_column(column: NDArray[Any], level: int) -> bytes:
    """Any int64, uint16 or float64 array."""
    plain: bytes = standalone.simple_compress(column, _config(level, ModeSpec.auto(), DeltaSpec.auto()))
    return _PCO + plain if len(plain) < column.nbytes else _raw(column)


def pack_times(times: Times, level: int) -> bytes:
    """int64 milliseconds, rising for the most part."""
    differences: bytes = standalone.simple_compress(
        times, _config(level, ModeSpec.classic(), DeltaSpec.try_consecutive(1))
    )
    best = _PCO + differences
    if len(times) >= _LINE_SAMPLES:
        off = _off_the_line(times, level)
        best = min(best, off, key=len)
    return best if len(best) <= times.nbytes else _raw(times)


def unpack_column(blob: bytes, dtype: str, size: int) -> NDArray[Any]:
    """The array that was packed: `size` items of `dtype`, writeable. Raises ColumnError."""
    form, body = blob[:1], blob[1:]
    wanted = np.dtype(dtype)
    column: NDArray[Any]
    try:
        if form == _PCO:
            column = standalone.simple_decompress(body)
        elif form == _LINE:
            first, step = _LINE_HEAD.unpack_from(body)
            column = standalone.simple_decompress(body[_LINE_HEAD.size :])
            if not abs(step) * len(column) < _FAR:
                raise ColumnError("a line of times leads out of this world")
            column += _line(first, step, len(column))
        elif form == _RAW:
            column = np.frombuffer(body, wanted.newbyteorder("<")).astype(wanted)
        else:
            raise ColumnError(f"not a column: its first byte is {form!r}")
    except (RuntimeError, ValueError, TypeError, struct.error, OverflowError) as error:
        raise ColumnError(f"a column can't be unpacked: {error}") from error
    if column is None or column.dtype != wanted or len(column) != size:
        raise ColumnError(f"a column of {size} {dtype} items was expected, it holds something else")
    return column


def _raw(column: NDArray[Any]) -> bytes:
    return _RAW + column.astype(column.dtype.newbyteorder("<")).tobytes()


def _off_the_line(times: Times, level: int) -> bytes:
    size = len(times)
    apart = max(1, size // 4)  # far apart, so that jitter hardly tilts it; the median, so that gaps do not
    step = float(np.median(times[apart:] - times[:-apart])) / apart
    if abs(step - round(step)) < _SNAP:
        step = float(round(step))
    first = int(times[0])
    off = times - _line(first, step, size)
    packed: bytes = standalone.simple_compress(off, _config(level, ModeSpec.classic(), DeltaSpec.no_op()))
    return _LINE + _LINE_HEAD.pack(first, step) + packed


def _line(first: int, step: float, size: int) -> Times:
    if step.is_integer():
        return first + np.arange(size, dtype=np.int64) * int(step)
    line: Times = np.rint(np.arange(size) * step).astype(np.int64)
    line += first
    return line


def _config(level: int, mode: ModeSpec, delta: DeltaSpec) -> ChunkConfig:
    return ChunkConfig(compression_level=level, mode_spec=mode, delta_spec=delta)

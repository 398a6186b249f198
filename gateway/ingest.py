"""Metric bodies become series: bytes in, SeriesPart out, no I/O.

Owns the two JSON shapes of the batch route (rows and columns) and the single sample's.

Promises
- One bad sample is refused alone, with a message that names the member; the rest of the body is kept.
- A body in which everything is in order takes the fast path: msgspec, then numpy, no Python object per column
  value and no validation twice. Anything else is read again by `ingest_checks`, slowly and exactly.
- Times leave as int64 ms; values as finite float64; parts hold read-only arrays, one part per metric and
  shape.
- Only `MalformedBodyError` (not JSON) and `RefusedBodyError` (JSON, but not a batch at all) are raised.

A part carries one metadata text: when rows of one metric bring several, the last one wins.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from storage.models import SeriesPart, Times, Values

MAX_NAME_CHARS: Final = 256
MAX_METADATA_BYTES: Final = 4096
MAX_METADATA_DEPTH: Final = 16
MAX_ERRORS: Final = 100  # listed in an answer; `rejected` counts them all
# Seconds. Beyond the year 2286 no stamp is meant as seconds: milliseconds start here.
MAX_SECONDS: Final = 1e10

# C0, DEL, C1, the two Unicode line breaks, and surrogates: none of them can be printed or sent on.
FORBIDDEN_IN_NAMES: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DOTS: Final = frozenset({".", ".."})
BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)  # strings are matched to be passed over


class MalformedBodyError(ValueError):
    """Not JSON. `str()` says where."""


class RefusedBodyError(ValueError):
    """JSON, but nothing in it can be taken. `errors`: (JSON pointer, message)."""

    def __init__(self, *errors: tuple[str, str]) -> None:
        super().__init__(
            "; ".join(f"{pointer.lstrip('/')}: {message}" if pointer else message for pointer, message in errors)
        )
        self.errors = errors


class SampleError(Struct, frozen=True):
    """One refused sample. `index`: row, or position in its series; of a series refused whole its own position."""

    index: int | None
    message: str
    series: str | None = None

    def as_json(self) -> dict[str, Any]:
        error: dict[str, Any] = {"index": self.index, "message": self.message}
        if self.series is not None:
            error["series"] = self.series
        return error


class Intake(Struct, frozen=True):
    """What a body holds: parts to record, and what was refused while reading."""

    parts: tuple[SeriesPart, ...]
    origins: tuple[
        Sequence[int] | NDArray[np.signedinteger[Any]], ...
    ]  # per part: the row or position each of its samples came from
    columns: bool  # origins are positions in the part's own series, not rows of the body
    errors: tuple[SampleError, ...] = ()  # at most MAX_ERRORS
    rejected: int = 0


# Past int64 a float cannot tell which integer was written, or whether one was: the slow path sees the literal.
_Value = Annotated[float, msgspec.Meta(gt=-(2.0**63), lt=2.0**63)]


class Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    metric_name: str
    value: _Value
    timestamp: float | None = None
    metadata: dict[str, Any] | None = None


class Column(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    metric_name: str
    timestamps: list[float]
    values: list[_Value]
    metadata: dict[str, Any] | None = None


class Batch(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    samples: list[Row] | None = None
    series: list[Column] | None = None


_BATCH: Final = msgspec.json.Decoder(Batch)
_ROW: Final = msgspec.json.Decoder(Row)


def name_problem(name: str) -> str | None:
    """Why this is no metric name, or None."""
    if len(name) > MAX_NAME_CHARS:
        return f"expected at most {MAX_NAME_CHARS} characters, got {len(name)}"
    if not name.strip():
        return "expected a name, got nothing but spaces" if name else "expected a name, got an empty string"
    if not _DOTS.isdisjoint(name.split("/")):
        return "a part between slashes may not be . or .., which addresses leave out"
    if found := FORBIDDEN_IN_NAMES.search(name):
        return f"character U+{ord(found.group()):04X} is not allowed in a name"
    return None


def encode_metadata(metadata: dict[str, Any]) -> str:
    """Compact JSON text. Raises ValueError when it is too long or holds what JSON cannot say."""
    try:
        encoded = msgspec.json.encode(metadata, enc_hook=_plain_float)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError("expected plain JSON values") from error
    if len(encoded) > MAX_METADATA_BYTES:
        raise ValueError(f"expected at most {MAX_METADATA_BYTES} bytes of JSON, got {len(encoded)}")
    if _depth(encoded) > MAX_METADATA_DEPTH:
        raise ValueError(f"nested deeper than {MAX_METADATA_DEPTH} levels")
    return encoded.decode()


def _plain_float(value: Any) -> float:
    """A subclass of float, which the encoder does not know, as what it is. Raises TypeError for anything else."""
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no plain JSON value")


def _depth(encoded: bytes) -> int:
    """Levels of nesting of JSON text."""
    if encoded.count(b"[") + encoded.count(b"{") <= MAX_METADATA_DEPTH:
        return 1
    depth = deepest = 0
    for token in BRACKETS.finditer(encoded):
        first = token.group()[:1]
        depth += (first in b"[{") - (first in b"]}")
        deepest = max(deepest, depth)
    return deepest


def decode_batch(body: bytes | memoryview, now_ms: int) -> Intake | None:
    """The fast path. None: something is not in order, `ingest_checks.check_batch` will say what."""
    try:
        batch = _BATCH.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if batch.samples is not None and batch.series is None:
        return _from_rows(batch.samples, now_ms)
    if batch.series is not None and batch.samples is None:
        return _from_columns(batch.series)
    return None


def decode_sample(body: bytes, now_ms: int) -> Intake | None:
    """The fast path of a single sample; None as above."""
    try:
        return _from_rows([_ROW.decode(body)], now_ms)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _from_rows(rows: list[Row], now_ms: int) -> Intake | None:
    if not rows:
        return Intake((), (), columns=False)
    stamps: list[Any] = [row.timestamp for row in rows]
    if None in stamps:
        now = now_ms / 1000
        stamps = [now if stamp is None else stamp for stamp in stamps]
    times = milliseconds(stamps)
    ids: dict[str, int] = {}
    codes = [ids.setdefault(row.metric_name, len(ids)) for row in rows]
    if times is None or any(name_problem(name) for name in ids):
        return None
    metadata: dict[str, str] = {}
    if any(row.metadata is not None for row in rows):
        try:
            for row in rows:
                if row.metadata is not None:
                    metadata[row.metric_name] = encode_metadata(row.metadata)
        except ValueError:
            return None
    values = _array([row.value for row in rows])
    return group(ids, codes, times, values, metadata)


def group(
    ids: dict[str, int],
    codes: list[int],
    times: Times,
    values: Values,
    metadata: dict[str, str],
    rows: list[int] | None = None,
) -> Intake:
    """Rows sorted into one part per metric. `codes[i]` is the number in `ids` of sample i's metric; `rows[i]`
    its row in the body (default: i)."""
    order = np.argsort(np.array(codes), kind="stable") if len(ids) > 1 else np.arange(len(codes))
    ends = np.cumsum(np.bincount(codes, minlength=len(ids))).tolist()
    times, values = times[order], values[order]
    origins = order if rows is None else np.array(rows)[order]
    times.flags.writeable = values.flags.writeable = False
    parts, froms, begin = [], [], 0
    for name, end in zip(ids, ends, strict=True):
        parts.append(SeriesPart(name, times[begin:end], values[begin:end], metadata.get(name)))
        froms.append(origins[begin:end])
        begin = end
    return Intake(tuple(parts), tuple(froms), columns=False)


def _from_columns(columns: list[Column]) -> Intake | None:
    parts = []
    for column in columns:
        times = milliseconds(column.timestamps)
        if times is None or len(column.values) != len(times) or name_problem(column.metric_name):
            return None
        try:
            metadata = None if column.metadata is None else encode_metadata(column.metadata)
        except ValueError:
            return None
        values = _array(column.values)
        times.flags.writeable = values.flags.writeable = False
        parts.append(SeriesPart(column.metric_name, times, values, metadata))
    return Intake(tuple(parts), tuple(range(len(part)) for part in parts), columns=True)


def milliseconds(seconds: Sequence[float]) -> Times | None:
    """int64 ms of unix seconds; None when one of them is no plausible time."""
    times = _array(seconds)
    if len(times) and not (times.min() >= 0 and times.max() < MAX_SECONDS):
        return None
    return np.rint(times * 1000).astype(np.int64)


def _array(numbers: Sequence[float]) -> Values:
    """float64, read-only. `numpy.array` looks at each number to find out what it is, which takes four times as long."""
    return np.frombuffer(struct.pack(f"{len(numbers)}d", *numbers), dtype=np.float64)

"""Reads recordings: CSV of metric_name, a time, and value, plain or gzip-compressed, in constant memory; pipes too.

The header names the columns, in any order: `metric_name`, `value`, and `timestamp_ms` (unix milliseconds)
or `timestamp` (unix seconds, or ISO 8601; without an offset it is UTC). Promises: a row that cannot be read
is reported with its line and what is wrong with it, and costs no other row; a name that was `guarded` for
spreadsheets is the name it was.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from storage.intake import FUTURE_MS, lies_ahead

from .ingest import MAX_SECONDS, name_problem

_GZIP_MAGIC: Final = b"\x1f\x8b"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def guarded(name: str) -> str:
    """`name` as a cell of CSV: what a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV
    injection), and so does what would read as such a cell."""
    return f"'{name}" if _is_formula(name) else name


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    return text.lstrip("'").startswith(_FORMULA)


class RecordingError(Exception):
    """The file as a whole cannot be used. `str()` names it."""


class Row(Struct, frozen=True):
    name: str
    time_ms: int
    value: float


class BadRow(Struct, frozen=True):
    line: int
    problem: str


class Recording:
    """An open recording: iterate over it once. `fraction`: how much of the file has been read."""

    def __init__(
        self, lines: Iterator[str], path: Path, raw: IO[bytes], only_metric: str | None, now_ms: int | None
    ) -> None:
        self._path = path
        self._raw = raw
        self._only_metric = only_metric
        self._now_ms = now_ms
        self._size = max(1, path.stat().st_size) if raw.seekable() else None  # of a pipe nobody knows
        self._lines = lines

    @property
    def fraction(self) -> float:
        return 0.0 if self._size is None else min(1.0, self._raw.tell() / self._size)

    def __iter__(self) -> Iterator[Row | BadRow]:
        """Raises RecordingError, also halfway, when the file breaks off or is not text."""
        rows = csv.reader(self._lines, strict=True)
        try:
            header = [column.strip().lower() for column in next(rows, [])]
            read = _reader(header, self._path, self._only_metric, self._now_ms)
            while True:
                try:
                    row = next(rows)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield BadRow(rows.line_num, str(error))
                    continue
                if row:
                    try:
                        yield read(row)
                    except ValueError as error:
                        yield BadRow(rows.line_num, str(error))
        except (OSError, EOFError, zlib.error) as error:
            raise RecordingError(f"{self._path}: {error}") from error
        except UnicodeDecodeError as error:
            raise RecordingError(f"{self._path}: not UTF-8 after line {rows.line_num}") from error


@contextmanager
def open_recording(path: Path, only_metric: str | None = None, now_ms: int | None = None) -> Iterator[Recording]:
    """`only_metric`: the name of all samples where no column gives one. `now_ms`: rows too far ahead of it are bad, as
    the service takes none of them. Raises RecordingError."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error
    with raw:
        compressed = raw.peek(2).startswith(_GZIP_MAGIC)
        data: IO[bytes] = gzip.GzipFile(fileobj=raw) if compressed else raw  # type: ignore[assignment]
        with io.TextIOWrapper(data, encoding="utf-8-sig", newline="") as text:
            yield Recording(text, path, raw, only_metric, now_ms)


def _reader(header: list[str], path: Path, only_metric: str | None, now_ms: int | None) -> Callable[[list[str]], Row]:
    """How rows under this header are read; the result raises ValueError that names the column."""

    def place(column: str) -> int:
        if header.count(column) != 1:
            given = ",".join(header)[:200]
            raise RecordingError(f"{path}: expected one column {column}, got the header {given!r}")
        return header.index(column)

    name_at = -1 if only_metric is not None and "metric_name" not in header else place("metric_name")
    value_at = place("value")
    in_ms = "timestamp_ms" in header
    time_at = place("timestamp_ms") if in_ms else place("timestamp")
    width, read_time = max(name_at, value_at, time_at) + 1, _milliseconds if in_ms else unix_ms
    limit_ms = math.inf if now_ms is None else now_ms + FUTURE_MS

    def read(row: list[str]) -> Row:
        if len(row) < width:
            raise ValueError(f"expected {len(header)} columns, got {len(row)}")
        name = only_metric if only_metric is not None and name_at < 0 else _unguarded(row[name_at])
        if problem := name_problem(name):
            raise ValueError(f"metric_name: {problem}")
        time_ms = read_time(row[time_at])
        if time_ms > limit_ms:
            raise ValueError(f"{header[time_at]}: {row[time_at][:60]!r} {lies_ahead(FUTURE_MS)}")
        return Row(name, time_ms, _value(row[value_at]))

    return read


def _value(text: str) -> float:
    try:
        value = _number(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"value: expected a finite number, got {text[:60]!r}")
    return value


def _number(text: str) -> float:
    """As `float`, but 1_000 is how Python spells a number, and no recording does."""
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _milliseconds(text: str) -> int:
    try:
        number = _number(text)
        if not number.is_integer():
            raise ValueError(text)
        return _plausible(int(number), text)
    except ValueError:
        raise ValueError(f"timestamp_ms: expected unix milliseconds, got {text[:60]!r}") from None


def unix_ms(text: str) -> int:
    """Unix seconds or ISO 8601 (without an offset: UTC) as milliseconds. Raises ValueError that says so."""
    hint = ""
    try:
        number = _number(text)
        if MAX_SECONDS <= number < MAX_SECONDS * 1000:
            hint = " (milliseconds belong in a column timestamp_ms)"
        return _plausible(round(number * 1000), text)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return _plausible(round(moment.timestamp() * 1000), text)
    except (ValueError, OverflowError):
        raise ValueError(f"timestamp: expected unix seconds or ISO 8601, got {text[:60]!r}{hint}") from None


def _plausible(time_ms: int, text: str) -> int:
    if not 0 <= time_ms < MAX_SECONDS * 1000:
        raise ValueError(text)
    return time_ms

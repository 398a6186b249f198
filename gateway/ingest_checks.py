"""The slow and exact reading of a metric body: what is wrong with each sample, in words that name the member.

Runs only when `ingest.decode_*` gave up. Tolerates what JSON forbids but senders write (NaN, Infinity,
1e400), so that one such value costs its sample and not the batch. Nothing in a body raises anything but
MalformedBodyError or RefusedBodyError.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from msgspec import Struct, field

from storage.models import SeriesPart

from .ingest import (
    MAX_ERRORS,
    MAX_SECONDS,
    Intake,
    RefusedBodyError,
    SampleError,
    encode_metadata,
    group,
    name_problem,
)
from .lenient_json import Oddity, WideInteger, load, short

_ROW_MEMBERS: Final = ("metric_name", "value", "timestamp", "metadata")
_COLUMN_MEMBERS: Final = ("metric_name", "timestamps", "values", "metadata")


class _Refusals(Struct):
    errors: list[SampleError] = field(default_factory=list)
    count: int = 0

    def add(self, index: int | None, message: str, series: str | None = None, samples: int = 1) -> None:
        self.count += samples
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(SampleError(index, message, series))


class _RefusalError(Exception):
    """One sample or series cannot be taken; `str()` names the member."""


def check_batch(body: bytes, now_ms: int) -> Intake:
    """Raises MalformedBodyError, RefusedBodyError."""
    document = load(body)
    if not isinstance(document, dict):
        raise RefusedBodyError(("", f"expected an object with samples or series, got {_named(document)}"))
    unknown = [name for name in document if name not in ("samples", "series")]
    if unknown:
        raise RefusedBodyError(*((_pointer(name), "unknown member") for name in unknown[:MAX_ERRORS]))
    given = [name for name in ("samples", "series") if document.get(name) is not None]
    if len(given) != 1:
        raise RefusedBodyError(("", f"expected either samples or series, got {' and '.join(given) or 'none'}"))
    items = document[given[0]]
    if not isinstance(items, list):
        raise RefusedBodyError((f"/{given[0]}", f"expected an array, got {_named(items)}"))
    return _check_rows(items, now_ms) if given == ["samples"] else _check_columns(items)


def check_sample(body: bytes, now_ms: int) -> Intake:
    """As check_batch, for the body of a single sample; its one refusal is raised as RefusedBodyError."""
    document = load(body)
    if not isinstance(document, dict):
        raise RefusedBodyError(("", f"expected an object, got {_named(document)}"))
    intake = _check_rows([document], now_ms)
    if intake.errors:
        member, _, message = intake.errors[0].message.partition(": ")
        raise RefusedBodyError((_pointer(member), message) if message else ("", member))
    return intake


def _check_rows(rows: list[Any], now_ms: int) -> Intake:
    refusals = _Refusals()
    ids: dict[str, int] = {}
    codes, times, values, kept = [], [], [], []
    metadata: dict[str, str] = {}
    for index, row in enumerate(rows):
        try:
            if not isinstance(row, dict):
                raise _RefusalError(f"expected an object, got {_named(row)}")
            _known(row, _ROW_MEMBERS)
            name = _name(row)
            value = _number(row, "value")
            time_ms = now_ms if row.get("timestamp") is None else _time(row["timestamp"], "timestamp")
            text = _metadata(row)
        except _RefusalError as refusal:
            refusals.add(index, str(refusal))
            continue
        codes.append(ids.setdefault(name, len(ids)))
        times.append(time_ms)
        values.append(value)
        kept.append(index)
        if text is not None:
            metadata[name] = text
    good = group(ids, codes, np.array(times, np.int64), np.array(values, np.float64), metadata, kept) if ids else None
    return Intake(
        good.parts if good else (),
        good.origins if good else (),
        False,
        tuple(refusals.errors),
        refusals.count,
    )


def _check_columns(columns: list[Any]) -> Intake:
    refusals = _Refusals()
    parts, origins = [], []
    for position, column in enumerate(columns):
        label = _label(column)
        try:
            if not isinstance(column, dict):
                raise _RefusalError(f"expected an object, got {_named(column)}")
            _known(column, _COLUMN_MEMBERS)
            name = _name(column)
            stamps, numbers = _array(column, "timestamps"), _array(column, "values")
            if len(stamps) != len(numbers):
                raise _RefusalError(f"values: expected one per timestamp ({len(stamps)}), got {len(numbers)}")
            text = _metadata(column)
        except _RefusalError as refusal:
            refusals.add(position, str(refusal), label, _size(column))
            continue
        times, values, kept = [], [], []
        for index, (stamp, number) in enumerate(zip(stamps, numbers, strict=True)):
            try:
                times.append(_time(stamp, "timestamps"))
                values.append(_value(number, "values"))
                kept.append(index)
            except _RefusalError as refusal:
                del times[len(values) :]
                refusals.add(index, str(refusal), label)
        times_array, values_array = np.array(times, np.int64), np.array(values, np.float64)
        times_array.flags.writeable = values_array.flags.writeable = False
        parts.append(SeriesPart(name, times_array, values_array, text))
        origins.append(kept)
    return Intake(tuple(parts), tuple(origins), True, tuple(refusals.errors), refusals.count)


def _known(given: dict[str, Any], members: tuple[str, ...]) -> None:
    for name in given:
        if name not in members:
            raise _RefusalError(f"{short(name)}: unknown member")


def _name(given: dict[str, Any]) -> str:
    if "metric_name" not in given:
        raise _RefusalError("metric_name: missing")
    name = given["metric_name"]
    if not isinstance(name, str):
        raise _RefusalError(f"metric_name: expected a string, got {_named(name)}")
    if problem := name_problem(name):
        raise _RefusalError(f"metric_name: {problem}")
    return name


def _number(given: dict[str, Any], member: str) -> float:
    if member not in given:
        raise _RefusalError(f"{member}: missing")
    return _value(given[member], member)


def _value(given: Any, member: str) -> float:
    if isinstance(given, WideInteger):
        raise _RefusalError(f"{member}: expected a float or an integer of 64 bits, got {given.text}")
    return _finite(given, member)


def _finite(value: Any, member: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _RefusalError(f"{member}: expected a finite number, got {_named(value)}")
    return float(value)


def _time(value: Any, member: str) -> int:
    seconds = _finite(value, member)
    if seconds < 0:
        raise _RefusalError(f"{member}: expected unix seconds, got {seconds:.15g}, before 1970")
    if seconds >= MAX_SECONDS:
        raise _RefusalError(f"{member}: expected unix seconds, got {seconds:.15g} (milliseconds?)")
    return round(seconds * 1000)


def _metadata(given: dict[str, Any]) -> str | None:
    metadata = given.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise _RefusalError(f"metadata: expected an object, got {_named(metadata)}")
    try:
        return encode_metadata(metadata)
    except ValueError as error:
        raise _RefusalError(f"metadata: {error}") from error


def _array(given: dict[str, Any], member: str) -> list[Any]:
    if member not in given:
        raise _RefusalError(f"{member}: missing")
    array = given[member]
    if not isinstance(array, list):
        raise _RefusalError(f"{member}: expected an array, got {_named(array)}")
    return array


def _size(column: Any) -> int:
    """How many samples a refused series stands for: at least one, so that its loss shows."""
    if not isinstance(column, dict):
        return 1
    return max([1, *(len(given) for name in ("timestamps", "values") if isinstance(given := column.get(name), list))])


def _label(column: Any) -> str | None:
    name = column.get("metric_name") if isinstance(column, dict) else None
    return short(name) if isinstance(name, str) else None


def _named(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Oddity():
            return value.text
        case str():
            return f'the string "{short(value)}"'
        case list():
            return "an array"
        case dict():
            return "an object"
    return f"{value:.15g}"


def _pointer(name: str) -> str:
    """RFC 6901."""
    return "/" + short(name).replace("~", "~0").replace("/", "~1")

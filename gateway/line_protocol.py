"""InfluxDB's line protocol becomes series: bytes in, SeriesPart out, no I/O.

    measurement[,tag=value...] field=value[,field=value...] [timestamp]

Promises
- One bad line is refused alone, whole, with its number and what is wrong with it; the rest is kept.
- Floats, integers (`5i`), unsigned (`5u`) and booleans are taken, the last as 1 and 0. Strings are no metrics: they
  are skipped and counted, and a line of nothing else is no error (agents send such lines in every batch).
- Escapes, quoted newlines and commas, comments, blank lines and CRLF are understood; reading is linear in the body's
  size, whatever it holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
from msgspec import Struct, field

from .influx_names import name_of
from .ingest import MAX_ERRORS, MAX_SECONDS, Intake, SampleError, group, name_problem

# What a unit of `precision` is worth, as milliseconds = stamp * worth[0] // worth[1].
PRECISIONS: Final = {
    "ns": (1, 1_000_000),
    "n": (1, 1_000_000),
    "us": (1, 1_000),
    "u": (1, 1_000),
    "µ": (1, 1_000),
    "ms": (1, 1),
    "s": (1_000, 1),
    "m": (60_000, 1),
    "h": (3_600_000, 1),
}
MAX_JOINED: Final = 32  # lines that one quoted string may span
JOINS: Final = 1_000  # that are tried for the strings of one body; past it a line is a line
SHOWN_CHARS: Final = 100
MAX_DIGITS: Final = 19  # of a timestamp: 64 bits

_POINT: Final = re.compile(
    r"""(?P<measurement>(?:[^,\ \\]|\\.)++)
        (?P<tags>(?:,(?:[^,=\ \\]|\\.)++=(?:[^,=\ \\]|\\.)++)*+)
        \ ++(?P<fields>(?:[^,=\ \\"]|\\.)++=(?:"(?:[^"\\]|\\.)*+"|[^,\ "]++)
            (?:,(?:[^,=\ \\]|\\.)++=(?:"(?:[^"\\]|\\.)*+"|[^,\ "]++))*+)
        (?:\ ++(?P<time>-?\d{1,19}))?+\ *+\Z""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_PAIR: Final = re.compile(r'((?:[^,=\\]|\\.)++)=("(?:[^"\\]|\\.)*+"|(?:[^,\\]|\\.)++)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([,= ])")
_FLOAT: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?\Z", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,19}i\Z", re.ASCII)
_UNSIGNED: Final = re.compile(r"\d{1,20}u\Z", re.ASCII)
_BOOLEANS: Final = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), 1.0),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), 0.0),
}


class LineError(ValueError):
    """This line is no point. `str()` says why."""


class Lines(Struct):
    """What a body holds. `errors`: at most MAX_ERRORS, `index` being the number of the line, from 1."""

    intake: Intake
    skipped: int = 0  # strings
    texts: dict[int, str] = field(default_factory=dict)  # of the refused lines, cut


def read_lines(body: bytes, precision: str, now_ms: int) -> Lines:
    """The points of `body`. Raises UnicodeDecodeError when it is not UTF-8, KeyError for an unknown precision."""
    factor, divisor = PRECISIONS[precision]
    reader = _Reader(factor, divisor, now_ms)
    for number, line in _lines(body.decode()):
        reader.take(number, line)
    return reader.lines()


class _Reader:
    def __init__(self, factor: int, divisor: int, now_ms: int) -> None:
        self._factor, self._divisor, self._now_ms = factor, divisor, now_ms
        self._ids: dict[str, int] = {}  # metric -> its number
        self._known: dict[tuple[str, str], int] = {}  # (series as written, field as written) -> number of the metric
        self._metadata: dict[str, str] = {}
        self._codes: list[int] = []
        self._times: list[int] = []
        self._values: list[float] = []
        self._rows: list[int] = []
        self._errors: list[SampleError] = []
        self._texts: dict[int, str] = {}
        self._rejected = self._skipped = 0

    def take(self, number: int, line: str) -> None:
        try:
            point = _POINT.match(line)
            if point is None:
                raise LineError(_why(line))
            time_ms = self._time(point["time"])
            series = point["measurement"] + point["tags"]
            found = []
            skipped = 0
            for key, text in _PAIR.findall(point["fields"]):
                value = _value(key, text)
                if value is None:
                    skipped += 1
                else:
                    found.append((self._metric(point, series, key), value))
        except LineError as error:
            self._rejected += 1
            if len(self._errors) < MAX_ERRORS:
                self._errors.append(SampleError(number, str(error)))
                self._texts[number] = line[:SHOWN_CHARS]
            return
        self._skipped += skipped
        for metric, value in found:
            self._codes.append(metric)
            self._times.append(time_ms)
            self._values.append(value)
            self._rows.append(number)

    def lines(self) -> Lines:
        if not self._codes:
            intake = Intake((), (), columns=False)
        else:
            used = sorted(set(self._codes))  # a refused line may have named others
            names = list(self._ids)
            again = {code: index for index, code in enumerate(used)}
            intake = group(
                {names[code]: index for code, index in again.items()},
                [again[code] for code in self._codes],
                np.array(self._times, dtype=np.int64),
                np.array(self._values, dtype=np.float64),
                self._metadata,
                self._rows,
            )
        whole = Intake(intake.parts, intake.origins, False, tuple(self._errors), self._rejected)
        return Lines(whole, self._skipped, self._texts)

    def _time(self, text: str | None) -> int:
        if text is None:
            return self._now_ms
        time_ms = int(text) * self._factor // self._divisor
        if int(text) >= 2**63 or not 0 <= time_ms < MAX_SECONDS * 1000:
            raise LineError(f"time {text} is outside 1970 to 2286 in the given precision")
        return time_ms

    def _metric(self, point: re.Match[str], series: str, key: str) -> int:
        known = self._known.get((series, key))
        if known is None:
            tags = [(_plain(name), _plain(value)) for name, value in _PAIR.findall(point["tags"][1:])]
            if len({name for name, _ in tags}) < len(tags):
                raise LineError("duplicate tags")
            name = name_of(_plain(point["measurement"]), _plain(key), tags)
            if problem := name_problem(name):
                raise LineError(f"metric name {name[:SHOWN_CHARS]!r}: {problem}")
            source = {"measurement": _plain(point["measurement"]), "field": _plain(key), "tags": sorted(tags)}
            self._metadata[name] = msgspec.json.encode({"source": source}).decode()
            known = self._known[series, key] = self._ids.setdefault(name, len(self._ids))
        return known


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines that hold a point. A line with an open quote goes on, as far as MAX_JOINED."""
    lines = text.split("\n")
    at, joins = 0, JOINS
    while at < len(lines):
        number, line = at + 1, lines[at].removesuffix("\r").lstrip(" ")
        at += 1
        if not line or line.startswith("#"):
            continue
        if '"' in line and joins > 0 and _POINT.match(line) is None:
            whole = line
            for end in range(at, min(at + MAX_JOINED, len(lines))):
                joins -= 1
                whole += "\n" + lines[end].removesuffix("\r")
                if '"' in lines[end] and _POINT.match(whole) is not None:
                    line, at = whole, end + 1
                    break
        yield number, line


def _value(key: str, text: str) -> float | None:
    """None: a string."""
    if text.startswith('"'):
        return None
    if _FLOAT.match(text):
        value = float(text)
        if not math.isfinite(value):
            raise LineError(f"field {_plain(key)}: {text[:40]} is out of range")
        return value
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if (_WHOLE.match(text) and -(2**63) <= int(text[:-1]) < 2**63) or (
        _UNSIGNED.match(text) and int(text[:-1]) < 2**64
    ):
        return float(int(text[:-1]))
    raise LineError(f"field {_plain(key)}: invalid number or boolean {text[:40]!r}")


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


_HEAD: Final = re.compile(r"(?:[^,\ \\]|\\.)++")
_TAG: Final = re.compile(r",((?:[^,=\ \\]|\\.)*+)(=?)((?:[^,=\ \\]|\\.)*+)")


def _why(line: str) -> str:
    """What keeps `line` from being a point, in Influx's words where it has some."""
    head = _HEAD.match(line)
    if head is None:
        return "missing measurement"
    at = head.end()
    while tag := _TAG.match(line, at):
        if not tag[1]:
            return "missing tag key"
        if not tag[3]:
            return "missing tag value"
        at = tag.end()
    if line[at : at + 1] not in ("", " "):
        return "invalid tag format"
    rest = line[at:].strip(" ")
    if not rest or "=" not in rest:
        return "missing fields"
    if rest.count('"') % 2:
        return "unbalanced quotes"
    last = rest.rpartition(" ")[2]
    if last != rest and "=" not in last and not last.endswith('"'):
        if not re.fullmatch(r"-?\d+", last):
            return f"bad timestamp {last[:40]!r}"
        if len(last) > MAX_DIGITS:
            return "time out of range"
    return "invalid field format"

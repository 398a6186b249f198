"""JSON as senders write it: read with Python's reader, forgiving what it can name later.

Promises: NaN, Infinity, numbers too large for a double and values nested too deeply become an `Oddity` in
their place, and an integer outside int64 a `WideInteger`, so that whoever reads the document can refuse just that
value. Anything else that is no JSON
raises MalformedBodyError, and nothing else is raised, whatever the bytes are.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from .ingest import MalformedBodyError

INT64_CHARS: Final = 20  # the longest: -9223372036854775808
MAX_DEPTH: Final = 64  # levels of nesting that are read; a batch needs 4 and its metadata the rest
# A spelling of zero that nobody writes: stands for a value that was cut out because it is nested too deeply.
_CUT: Final = "-0.0e-64646464"
_RUNS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]+|[\]}]+', re.DOTALL)  # brackets come in crowds


class Oddity:
    """A literal that stands where a number could, and is none. No dataclass: encoders must refuse it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class WideInteger(float):
    """An integer that no int64 holds: as a number it has lost digits, `text` is how it was written."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> WideInteger:
        self = super().__new__(cls, text)
        self.text = short(text)
        return self

    text: str


def load(body: bytes) -> Any:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"not UTF-8 at byte {error.start}") from error
    for attempt in (text, None):
        try:
            return json.loads(
                attempt if attempt is not None else _cut_deep(body),
                parse_constant=Oddity,
                parse_float=_parse_float,
                parse_int=_parse_int,
            )
        except RecursionError:
            continue
        except json.JSONDecodeError as error:
            raise MalformedBodyError(f"not JSON at line {error.lineno} column {error.colno}: {error.msg}") from error
    raise MalformedBodyError(f"nested deeper than {MAX_DEPTH} levels")


def _cut_deep(body: bytes) -> str:
    """The body with every value nested deeper than MAX_DEPTH replaced by the mark of one."""
    kept, depth, begin = [], 0, 0
    for token in _RUNS.finditer(body):
        first, size = body[token.start()], token.end() - token.start()
        if first in b"[{":
            if depth <= MAX_DEPTH < depth + size:
                kept += [body[begin : token.start() + MAX_DEPTH - depth], _CUT.encode()]
            depth += size
        elif first in b"]}":
            if depth > MAX_DEPTH >= depth - size:
                begin = token.start() + depth - MAX_DEPTH
            depth -= size
    if depth:
        raise MalformedBodyError(f"not JSON: {abs(depth)} brackets have no partner")
    kept.append(body[begin:])
    return b"".join(kept).decode()


def _parse_float(text: str) -> float | Oddity:
    if text == _CUT:
        return Oddity(f"a value nested deeper than {MAX_DEPTH} levels")
    number = float(text)
    return number if math.isfinite(number) else Oddity(short(text))


def _parse_int(text: str) -> int | float | Oddity:
    if len(text) <= INT64_CHARS and -(2**63) <= (number := int(text)) < 2**63:
        return number
    wide = WideInteger(text)
    return wide if math.isfinite(wide) else Oddity(short(text))


def short(text: str) -> str:
    """Something to print of any text: bounded, and free of what UTF-8 cannot carry."""
    text = text.encode(errors="replace").decode()
    return text if len(text) <= 60 else f"{text[:57]}..."

"""Long columns of numbers as JSON text, quickly: a month of one metric in a few milliseconds.

Promises: reading the text gives back every number bit for bit; other threads are held up for a millisecond at most.
Sensors speak in few decimals, so most columns are whole numbers over a power of ten: their text is put together from
tables of four characters, blanks included where that saves a step. Any other column takes the way over Python's floats.
All of it goes a slice at a time.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from storage.models import Times, Values

SLICE: Final = 16_384  # numbers written at once: what they need stays in the processor's cache
MOST_DECIMALS: Final = 3
_FOUR: Final = 10_000
_MOST: Final = _FOUR**2  # before the point
_MOST_MS: Final = 10**13  # times before it have ten digits of seconds at most
_Texts = NDArray[np.uint32]  # four characters each
Text = bytes | memoryview


_DIGITS: Final = (np.arange(_FOUR)[:, None] // [1000, 100, 10, 1] % 10 + ord("0")).astype(np.uint8)
_SPARED: Final = np.where(np.arange(_FOUR)[:, None] < [1000, 100, 10, 0], ord(" "), _DIGITS).astype(np.uint8)


def _texts(before: bytes, digits: NDArray[np.uint8], after: bytes) -> _Texts:
    """Of each row of `digits` its four characters, with the same ones before and after."""
    rows = [np.broadcast_to(np.frombuffer(text, np.uint8), (len(digits), len(text))) for text in (before, after)]
    return np.ascontiguousarray(np.hstack((rows[0], digits, rows[1]))).view(np.uint32).reshape(-1)


def _last(digits: int) -> NDArray[np.uint8]:
    """Every number of so many digits, zeros in front."""
    return _DIGITS[: 10**digits, 4 - digits :]


_ZEROS: Final = _texts(b"", _DIGITS, b"")
_BLANKS: Final = _texts(b"", _SPARED, b"")
_NOTHING: Final = _texts(b"", _DIGITS[:1, :0], b"    ")
_FRACTIONS: Final = (_NOTHING, *(_texts(b".", _last(k), b" " * (3 - k)) for k in (1, 2, 3)))
_ENDS: Final = (_texts(b",", _DIGITS[:1, :0], b"   "), *(_texts(b".", _last(k), b",".ljust(3 - k)) for k in (1, 2)))
_TENTHS: Final = _texts(b"", np.insert(_last(3), 2, ord("."), axis=1), b"")  # of a second, two digits before the point
_THOUSANDTHS: Final = _texts(b"", _last(2), b", ")
_RECORD: Final = np.dtype([("sign", "u1"), ("high", "u4"), ("low", "u4"), ("fraction", "u4"), ("comma", "u1")])
_BLANK, _MINUS, _COMMA = b" -,"


def seconds_text(times_ms: Times) -> bytes:
    """Unix ms as a JSON list of unix seconds, exact to the millisecond."""
    return b"".join((b"[", *seconds_pieces(times_ms), b"]"))


def values_text(values: Values) -> bytes:
    """A JSON list. Values must be finite."""
    return b"".join((b"[", *values_pieces(values), b"]"))


def seconds_pieces(times_ms: Times) -> list[Text]:
    """The same without its brackets, in pieces, which nobody has copied yet."""
    return _with_commas([_seconds(times_ms[first : first + SLICE]) for first in range(0, len(times_ms), SLICE)])


def values_pieces(values: Values) -> list[Text]:
    return _with_commas([_values(values[first : first + SLICE]) for first in range(0, len(values), SLICE)])


def _with_commas(parts: list[Text]) -> list[Text]:
    return [piece for part in parts for piece in (b",", part)][1:]


def _seconds(times_ms: Times) -> Text:
    if times_ms.min() < _MOST_MS // 10 or times_ms.max() >= _MOST_MS:  # other than ten digits: before 2001, after 2286
        return _plain(times_ms / 1000)
    begin = times_ms // 100_000
    rest = (times_ms - begin * 100_000).astype(np.int32)  # two digits before the point, three behind it
    begin = begin.astype(np.int32)
    first, tenths = begin // np.int32(_FOUR), rest // np.int32(100)
    text = np.empty((len(times_ms), 4), dtype=np.uint32)
    text[:, 0] = _ZEROS[first[0]] if (first == first[0]).all() else _ZEROS.take(first)
    text[:, 1] = _ZEROS.take(begin - first * np.int32(_FOUR))
    text[:, 2] = _TENTHS.take(tenths)
    text[:, 3] = _THOUSANDTHS.take(rest - tenths * np.int32(100))
    return _characters(text)[:-2]


def _characters(text: _Texts) -> memoryview:
    return text.reshape(-1).view(np.uint8).data


def _values(values: Values) -> Text:
    if np.abs(values).max() >= _MOST:
        return _plain(values)
    negative = np.signbit(values)
    for decimals in range(MOST_DECIMALS + 1):
        power = 10.0**decimals
        # Dividing two whole numbers below 2**53 rounds once, as reading the decimal does: both give the same bits.
        scaled = np.rint(values * power)
        if (scaled / power != values).any():
            continue
        if not decimals and (negative & (scaled == 0)).any():
            continue  # -0 without a point would be read as the whole number 0
        if decimals < len(_ENDS) and not negative.any() and scaled.max() < _FOUR * power:
            return _short_decimals(scaled.astype(np.int32), decimals)
        return _decimals(np.abs(scaled).astype(np.int64), negative, decimals)
    return _plain(values)


def _short_decimals(scaled: NDArray[np.int32], decimals: int) -> memoryview:
    """Numbers from 0 to 9,999 with two decimals at most: blanks before and behind a number are JSON, too."""
    whole = scaled // np.int32(10**decimals)
    text = np.empty((len(scaled), 2), dtype=np.uint32)
    text[:, 0] = _BLANKS.take(whole)
    text[:, 1] = _ENDS[decimals].take(scaled - whole * np.int32(10**decimals))
    characters = _characters(text)
    return characters[: -1 if decimals == 2 else -2 if decimals == 1 else -4]


def _decimals(scaled: NDArray[np.int64], negative: NDArray[np.bool_], decimals: int) -> bytes:
    text = np.empty(len(scaled), dtype=_RECORD)
    text["sign"] = np.where(negative, _MINUS, _BLANK)
    whole = scaled // 10**decimals
    text["fraction"] = _FRACTIONS[decimals][scaled - whole * 10**decimals]
    if whole.max() < _FOUR:
        text["high"] = _NOTHING
        text["low"] = _BLANKS[whole]
    else:
        high = whole // _FOUR
        low = whole - high * _FOUR
        text["high"] = np.where(high > 0, _BLANKS[high], _NOTHING)
        text["low"] = np.where(high > 0, _ZEROS[low], _BLANKS[low])
    text["comma"] = _COMMA
    return text.tobytes().translate(None, b" ")[:-1]  # no blank between a sign and its number


def _plain(numbers: NDArray[np.float64]) -> bytes:
    return msgspec.json.encode(numbers.tolist())[1:-1]

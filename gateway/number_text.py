"""Long columns of numbers as JSON text, quickly: a month of one metric in a few milliseconds.

Promises: reading the text gives back every number bit for bit; other threads are held up for a millisecond at most.
Sensors speak in few decimals, so most columns are whole numbers over a power of ten: their text is put together from
tables of four digits. Any other column takes the way over Python's floats, a slice at a time.
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


def _texts(words: list[str]) -> _Texts:
    return np.frombuffer("".join(words).encode(), dtype=np.uint32)


_ZEROS: Final = _texts([f"{number:04}" for number in range(_FOUR)])
_BLANKS: Final = _texts([f"{number:4}" for number in range(_FOUR)])  # blanks are taken out at the end
_TWO: Final = np.frombuffer("".join(f"{number:02}" for number in range(100)).encode(), dtype=np.uint16)
_NOTHING: Final = _texts(["    "])[0]
_FRACTIONS: Final = (_texts(["    "]), *(_texts([f".{n:0{k}}".ljust(4) for n in range(10**k)]) for k in (1, 2, 3)))
_RECORD: Final = np.dtype([("sign", "u1"), ("high", "u4"), ("low", "u4"), ("fraction", "u4"), ("comma", "u1")])
_TIME: Final = np.dtype([("first", "u2"), ("high", "u4"), ("low", "u4"), ("fraction", "u4"), ("comma", "u1")])
_BLANK, _MINUS, _COMMA = b" -,"


def seconds_text(times_ms: Times) -> bytes:
    """Unix ms as a JSON list of unix seconds, exact to the millisecond."""
    return _joined([_seconds(times_ms[first : first + SLICE]) for first in range(0, len(times_ms), SLICE)])


def values_text(values: Values) -> bytes:
    """A JSON list. Values must be finite."""
    return _joined([_values(values[first : first + SLICE]) for first in range(0, len(values), SLICE)])


def _joined(parts: list[bytes]) -> bytes:
    return b"[" + b",".join(parts) + b"]"


def _seconds(times_ms: Times) -> bytes:
    if times_ms.min() < _MOST_MS // 10 or times_ms.max() >= _MOST_MS:  # other than ten digits: before 2001, after 2286
        return _plain(times_ms / 1000)
    whole = times_ms // 1000
    high = whole // _FOUR
    first = high // _FOUR
    text = np.empty(len(times_ms), dtype=_TIME)
    text["first"] = _TWO[first]
    text["high"] = _ZEROS[high - first * _FOUR]
    text["low"] = _ZEROS[whole - high * _FOUR]
    text["fraction"] = _FRACTIONS[3][times_ms - whole * 1000]
    text["comma"] = _COMMA
    return text.tobytes()[:-1]


def _values(values: Values) -> bytes:
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
        return _decimals(np.abs(scaled).astype(np.int64), negative, decimals)
    return _plain(values)


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
    return text.tobytes().translate(None, b" ")[:-1]


def _plain(numbers: NDArray[np.float64]) -> bytes:
    return msgspec.json.encode(numbers.tolist())[1:-1]

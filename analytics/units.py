"""Units as senders spell them: whether one that is said is another than the one the catalogue means.

Only what is known to be another unit counts. A spelling that is not known says nothing: the catalogue is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_VOLUMES: Final = frozenset({"gal", "gallon", "gallons", "l", "liter", "liters", "litre", "litres", "m3", "m³"})
_WEIGHTS: Final = frozenset({"kg", "lb", "lbs"})
_PRESSURES: Final = frozenset({"psi", "bar", "mbar", "hpa", "kpa", "pa"})
_MINUTES: Final = frozenset({"min", "mins", "minute", "minutes"})
_SECONDS: Final = frozenset({"s", "sec", "secs", "second", "seconds"})
_FAHRENHEIT: Final = frozenset({"°f", "f", "deg f", "degf", "fahrenheit"})
_OTHERS: Final[Mapping[str, frozenset[str]]] = {  # by unit of the catalogue: what is another, in small letters
    "°C": _FAHRENHEIT | {"k", "kelvin"},
    "V": frozenset({"mv", "millivolt", "millivolts", "kv"}),
    "A": frozenset({"ma", "milliamp", "milliamps", "ka"}),
    "W": frozenset({"mw", "kw", "kilowatt", "kilowatts", "wh", "kwh", "a", "%"}),
    "%": _VOLUMES | _WEIGHTS | _PRESSURES | {"ratio", "cm", "mm", "in", "v", "mv"},
    "ms": _SECONDS | {"us", "µs"},
    "h": _MINUTES | _SECONDS,
    "min": _SECONDS | {"h", "hour", "hours"},
    "s": _MINUTES | {"h", "hour", "hours", "ms"},
}


def is_other(said: str, meant: str | None) -> bool:
    """Whether `said` is certainly another unit than `meant`."""
    return said.strip().lower() in _OTHERS.get(meant or "", ())

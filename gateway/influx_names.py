"""Points of the line protocol as metric names, and back.

The rule: `measurement.field`, or the measurement alone for a field called `value`; tags follow in braces, sorted by
key: `measurement.field{key=value;key=value}`. In all parts `%`, `,`, `{` and `}` are percent-encoded, in tags `=` and
`;` too. So a name says where it came from, and `source_of` reads it: of a name without braces the last dot parts
measurement and field. Two spellings of one metric (`battery.house voltage=13` and `battery.house.voltage value=13`) are
one metric, on purpose: the catalogue knows it by that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote, unquote

from msgspec import Struct

DEFAULT_FIELD: Final = "value"
_IN_NAMES: Final = re.compile(r"[%,{}]")
_IN_TAGS: Final = re.compile(r"[%,{};=]")


class Source(Struct, frozen=True):
    """Where a metric's points come from. `tags`: sorted by key."""

    measurement: str
    field: str
    tags: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"measurement": self.measurement, "field": self.field, "tags": dict(self.tags)}


def name_of(measurement: str, field: str, tags: Iterable[tuple[str, str]] = ()) -> str:
    """The metric of a field of a point."""
    name = _encoded(_IN_NAMES, measurement)
    if field != DEFAULT_FIELD:
        name = f"{name}.{_encoded(_IN_NAMES, field)}"
    pairs = [f"{_encoded(_IN_TAGS, key)}={_encoded(_IN_TAGS, value)}" for key, value in sorted(tags)]
    return f"{name}{{{';'.join(pairs)}}}" if pairs else name


def source_of(name: str) -> Source:
    """A point that is written to the metric `name`: name_of(source) == name for every name that name_of makes."""
    base, brace, rest = name.partition("{")
    tags: list[tuple[str, str]] = []
    if brace and rest.endswith("}"):
        for pair in rest[:-1].split(";"):
            key, _, value = pair.partition("=")
            tags.append((unquote(key), unquote(value)))
    else:
        base = name
    measurement, dot, field = base.rpartition(".")
    if not dot or not measurement or not field or field == DEFAULT_FIELD:
        measurement, field = base, DEFAULT_FIELD
    return Source(unquote(measurement), unquote(field), tuple(tags))


def _encoded(special: re.Pattern[str], text: str) -> str:
    return special.sub(lambda found: quote(found.group(), safe=""), text)

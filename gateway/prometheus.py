"""The Prometheus text format, version 0.0.4: families in, text out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PREFIX: Final = "coachiq_analytics_"

Value = float | int | bool
Labels = Mapping[str, str]


class Family(Struct, frozen=True):
    """One metric with its values by label set. `name` without prefix."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    values: tuple[tuple[Labels, Value], ...]


def one(name: str, kind: Literal["gauge", "counter"], help_text: str, value: Value | None) -> Family:
    """A family of one value without labels; without a value none is written."""
    return Family(name, kind, help_text, () if value is None else (({}, value),))


def render(families: Iterable[Family]) -> str:
    lines: list[str] = []
    for family in families:
        if not family.values:
            continue
        name = PREFIX + family.name
        lines.append(f"# HELP {name} {_escaped(family.help)}")
        lines.append(f"# TYPE {name} {family.kind}")
        for labels, value in family.values:
            shown = ",".join(f'{key}="{_quoted(text)}"' for key, text in labels.items())
            lines.append(f"{name}{'{' + shown + '}' if shown else ''} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: Value) -> str:
    return str(int(value)) if isinstance(value, bool) or float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")

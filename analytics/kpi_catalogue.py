"""KPIs as people define them: a name, an expression, a unit and a target (conf/kpis.yaml as values, and what was set).

Promises: a Kpi that exists can be evaluated: its expression parses, and its unit agrees with the catalogue's as far as
that knows the metrics.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from .catalogue import Catalogue
from .kpi import Call, KpiError, Node, calls, parse, unit_of
from .records import Json

ROLE: Final = "role:"
PREFIX: Final = "kpi."  # of the metrics that KPIs are recorded as
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MEMBERS: Final = frozenset({"id", "name", "expression", "unit", "target_low", "target_high", "description"})


class UnknownRoleError(KpiError):
    """No metric of the catalogue has this role."""


class Kpi(Struct, frozen=True, kw_only=True):
    """`unit` "": a plain number; None: unknown. The target is met within [target_low, target_high]."""

    id: str
    name: str
    expression: str
    node: Node
    unit: str | None
    target_low: float | None = None
    target_high: float | None = None
    description: str | None = None
    shipped: bool = False

    @property
    def metric(self) -> str:
        """The name under which its values are recorded."""
        return f"{PREFIX}{self.id}"

    def meets_target(self, value: float | None) -> bool | None:
        """None: no target, or no value."""
        if value is None or (self.target_low is None and self.target_high is None):
            return None
        return (self.target_low is None or value >= self.target_low) and (
            self.target_high is None or value <= self.target_high
        )


def make_kpi(id_: str, body: Json, catalogue: Catalogue, *, shipped: bool = False) -> Kpi:
    """Raises KpiError."""
    if not _ID.fullmatch(id_):
        raise KpiError("id: at most 64 of a-z, 0-9 and _, beginning with a letter")
    node = parse(body["expression"])
    if any(call.metric.startswith(PREFIX) for call in calls(node)):
        raise KpiError("a KPI can't be made of KPIs")
    found = unit_of(node, lambda metric: unit_of_metric(metric, catalogue))
    said = body.get("unit")
    if said is not None and found is not None and said != found:
        raise KpiError(f"unit: the expression is in {found or 'no unit'}, not in {said or 'no unit'}")
    low, high = body.get("target_low"), body.get("target_high")
    if low is not None and high is not None and low > high:
        raise KpiError("target_low must not be above target_high")
    return Kpi(
        id=id_, name=body["name"], expression=body["expression"], node=node, unit=found if said is None else said,
        target_low=low, target_high=high, description=body.get("description"), shipped=shipped,
    )  # fmt: skip


def unit_of_metric(metric: str, catalogue: Catalogue) -> str | None:
    """By the catalogue; a state (on or off) is a plain number. None: not known."""
    if metric.startswith(ROLE):
        role = metric.removeprefix(ROLE)
        units = {spec.unit for spec in catalogue.specs if spec.role == role}
        if not units:
            raise UnknownRoleError(f"{metric}: there is no such role in the catalogue")
        return units.pop() if len(units) == 1 else None
    spec = catalogue.spec(metric)
    return "" if spec.unit is None and spec.kind == "state" else spec.unit


def metric_of(call: Call, names: Iterable[str], catalogue: Catalogue) -> str | None:
    """The metric a call means: by its name, or the first (by name) of its role among `names`."""
    if not call.metric.startswith(ROLE):
        return call.metric
    role = call.metric.removeprefix(ROLE)
    return min((name for name in names if catalogue.spec(name).role == role), default=None)


def parse_kpis(document: Mapping[str, Any]) -> tuple[Json, ...]:
    """Read `{"kpis": [entry, ...]}`; checked against a catalogue by `make_kpi`. Raises KpiError naming the entry."""
    entries = document.get("kpis")
    if not isinstance(entries, list) or len(document) != 1:
        raise KpiError("expected the one member `kpis`, a list")
    for index, entry in enumerate(entries):
        where = f"kpis[{index}]"
        if not isinstance(entry, Mapping):
            raise KpiError(f"{where}: must be a mapping")
        for key in ("id", "name", "expression"):
            if not isinstance(entry.get(key), str):
                raise KpiError(f"{where}: `{key}` must be a text")
        for key, value in entry.items():
            if key not in _MEMBERS:
                raise KpiError(f"{where}: unknown member `{key}`")
            if key.startswith("target") and (not isinstance(value, int | float) or not math.isfinite(value)):
                raise KpiError(f"{where}: `{key}` must be a number")
    return tuple(dict(entry) for entry in entries)

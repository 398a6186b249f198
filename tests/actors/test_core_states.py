"""Entities as metrics: what counts, what it is called, in what unit."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.core_states import MAX_SIGNALS, readings

NOW_MS = 1_760_000_000_000


def told(data: dict[str, Any], entity: str = "e") -> dict[str, tuple[float, str | None]]:
    return {reading.name: (reading.value, reading.unit) for reading in readings(entity, data, NOW_MS)}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"state": "on", "brightness": 80}, {"e.state": (1, None), "e.brightness": (80, "%")}),
        ({"state": "off"}, {"e.state": (0, None)}),
        ({"state": True}, {"e.state": (1, None)}),
        ({"state": "LOCKED"}, {"e.state": (0, None)}),
        ({"state": "unknown", "value": 62.5, "unit": "%"}, {"e": (62.5, "%")}),
        ({"value": {"voltage": "12.6 V", "current": -3.5}}, {"e.voltage": (12.6, "V"), "e.current": (-3.5, "A")}),
        ({"value": {"level": "62%"}}, {"e.level": (62, "%")}),
        ({"value": {"ambient_f": 71.5, "x": 4}}, {"e.ambient_f": (71.5, "°F"), "e.x": (4, None)}),
        ({"voltage": {"value": 13.1, "unit": "volts"}}, {"e.voltage": (13.1, "V")}),
        ({"leg1": {"voltage": 119, "current": 3}}, {"e.leg1.voltage": (119, "V"), "e.leg1.current": (3, "A")}),
        ({"value": {"x": 1}, "units": {"x": "kPa"}}, {"e.x": (1, "kPa")}),
        ({"state": "12.6", "attributes": {"unit_of_measurement": "V"}}, {"e.state": (12.6, None)}),
        (
            {"value": {"a": 1}, "raw": {"a": 9}, "instance": 3, "timestamp": 1e9, "capabilities": ["on_off"], "id": 4},
            {"e.a": (1, None)},
        ),
        ({"value": {"a": math.nan, "b": math.inf, "c": 10**400, "d": None, "e": [], "f": "text", "g": "1 2"}}, {}),
        ({"value": {"bad\nname": 1, 7: 1}}, {}),
        ({}, {}),
    ],
)
def test_what_counts(data: dict[str, Any], expected: dict[str, Any]) -> None:
    assert told(data) == expected


@pytest.mark.parametrize(
    ("stamp", "time_ms"),
    [
        (NOW_MS / 1000 - 2.5, NOW_MS - 2500),
        ("2025-10-09T08:53:18Z", NOW_MS - 2000),
        ("2025-10-09T08:53:18", NOW_MS - 2000),
        (NOW_MS / 1000 + 3600, NOW_MS),
        (12.5, NOW_MS),  # a monotonic clock
        (math.nan, NOW_MS),
        (True, NOW_MS),
        ("now", NOW_MS),
        (None, NOW_MS),
    ],
)
def test_the_time(stamp: Any, time_ms: int) -> None:
    (reading,) = readings("e", {"value": 1, "timestamp": stamp}, NOW_MS)
    assert reading.time_ms == time_ms


def test_one_entity_is_bounded() -> None:
    assert len(readings("e", {"value": {f"s{n}": n for n in range(10_000)}}, NOW_MS)) == MAX_SIGNALS
    deep: dict[str, Any] = {"x": 1}
    for _ in range(500):
        deep = {"d": deep}
    assert readings("e", deep, NOW_MS) == []
    assert readings("e" * 300, {"value": 1}, NOW_MS) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.text(max_size=20), st.dictionaries(st.text(max_size=10), JSON, max_size=5))
def test_whatever_the_core_sends_is_finite_numbers_under_printable_names(entity: str, data: dict[str, Any]) -> None:
    for reading in readings(entity, data, NOW_MS):
        assert math.isfinite(reading.value)
        assert "\n" not in reading.name
        assert reading.name.strip()

"""Units as senders spell them."""

from __future__ import annotations

import pytest

from analytics.units import is_other


@pytest.mark.parametrize(
    ("said", "meant", "other"),
    [
        ("°F", "°C", True), ("deg F", "°C", True), ("°C", "°C", False), ("C", "°C", False), ("mV", "V", True),
        ("volts", "V", False), ("kW", "W", True), ("gal", "%", True), ("percent", "%", False), ("ratio", "%", True),
        ("minutes", "h", True), ("s", "ms", True), ("°F", None, False), ("who knows", "V", False), ("", "V", False),
    ],
)  # fmt: skip
def test_what_is_certainly_another_unit(said: str, meant: str | None, other: bool) -> None:
    assert is_other(said, meant) == other

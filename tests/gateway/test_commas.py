"""Lists of names."""

from __future__ import annotations

from gateway.commas import split


def test_split_keeps_order() -> None:
    assert split("b,a", "c", "a") == ["b", "a", "c"]
    assert split(r"a\,b,c", r"d\e") == ["a,b", "c", r"d\e"]

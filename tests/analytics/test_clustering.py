"""Clustered order: neighbours are related, nobody is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analytics.clustering import clustered_order


def test_related_names_are_neighbours_and_strangers_come_last() -> None:
    strength = {("a", "d"): 0.9, ("b", "e"): 0.95, ("d", "e"): 0.5}
    order = clustered_order(["x", "a", "b", "c", "d", "e"], strength)
    assert order[-2:] == ["x", "c"]
    assert order[:4] in (["a", "d", "e", "b"], ["b", "e", "d", "a"])


def test_nothing_known_keeps_the_order() -> None:
    assert clustered_order(["b", "a"], {}) == ["b", "a"]
    assert clustered_order([], {}) == []
    assert clustered_order(["a"], {("a", "gone"): 1.0}) == ["a"]


@given(st.dictionaries(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), st.floats(0, 1)))
def test_every_name_once(strength: dict[tuple[str, str], float]) -> None:
    names = list("gfedcba")
    order = clustered_order(names, strength)
    assert sorted(order) == sorted(names)
    assert clustered_order(names, strength) == order

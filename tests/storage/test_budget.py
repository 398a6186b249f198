"""What gives way when room runs short, and that it does so before the file is full."""

from __future__ import annotations

import pytest

from storage.budget import Budget, Use, gives_way


@pytest.mark.parametrize("megabytes", [5, 6, 10, 20, 100, 1_000_000])
def test_thinning_begins_before_the_file_is_full(megabytes: int) -> None:
    budget = Budget(megabytes * 1_000_000)
    assert budget.soft <= 0.92 * budget.hard
    assert budget.hard + budget.log <= budget.total


def test_the_tier_furthest_beyond_its_share_gives_way() -> None:
    budget = Budget(100_000_000)
    assert gives_way(budget, Use(84_000_000, {0: 84_000_000})) is None
    assert gives_way(budget, Use(86_000_000, {0: 86_000_000})) == 0
    assert gives_way(budget, Use(90_000_000, {0: 43_000_000, 1: 47_000_000})) == 1
    assert gives_way(budget, Use(90_000_000, {})) is None

"""The budget's lines, and who gives way."""

from __future__ import annotations

import pytest

from storage.budget import Budget, Use, days_until_thinning, gives_way, packs_first

BUDGET = Budget(100_000_000)


@pytest.mark.parametrize("total", [300_000, 5_000_000, 100_000_000, 10_000_000_000])
def test_file_and_log_together_stay_below_the_total(total: int) -> None:
    budget = Budget(total)
    assert budget.soft < budget.hard < total
    assert total < 1_000_000 or budget.hard + budget.log <= total


def test_nobody_gives_way_while_there_is_room() -> None:
    assert gives_way(BUDGET, Use(BUDGET.soft, {0: BUDGET.soft})) is None


@pytest.mark.parametrize(
    ("by_tier", "tier"),
    [
        ({0: 85_000_000}, 0),
        ({0: 50_000_000, 1: 34_000_000, 2: 1_000_000}, 0),
        ({0: 42_000_000, 1: 42_000_000}, 1),
        ({0: 42_000_000, 1: 20_000_000, 2: 23_000_000}, 2),
        ({0: 0, 1: 0, 2: 1_000}, 2),
        ({}, None),
    ],
)
def test_who_is_furthest_beyond_its_share_gives_way(by_tier: dict[int, int], tier: int | None) -> None:
    assert gives_way(BUDGET, Use(BUDGET.soft + 1, by_tier)) == tier


def test_what_waits_to_be_packed_does_so_until_it_is_as_large_as_the_log() -> None:
    assert not packs_first(BUDGET, Use(0, {}, BUDGET.log))
    assert packs_first(BUDGET, Use(0, {}, BUDGET.log + 1))


def test_days_until_thinning() -> None:
    assert days_until_thinning(BUDGET, BUDGET.soft, 1e6, 30) == 0
    assert days_until_thinning(BUDGET, BUDGET.soft - 5_000_000, 5e6, 30) == pytest.approx(1)
    assert days_until_thinning(BUDGET, 0, 1e6, 30) is None  # thirty days fit
    assert days_until_thinning(BUDGET, 0, 0, None) is None
    assert days_until_thinning(BUDGET, 0, 1e6, None) == pytest.approx(BUDGET.soft / 1e6)


def test_thinning_begins_before_the_file_is_full() -> None:
    for megabytes in (5, 6, 10, 20, 100, 1_000_000):
        budget = Budget(megabytes * 1_000_000)
        assert budget.soft <= 0.92 * budget.hard
    assert Budget(100_000_000).soft == 85_000_000

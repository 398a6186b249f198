from __future__ import annotations

from analytics.budget import RAISED_HIGH, UNREACHABLE, WEEK_MS, Budget

START = 1_700_000_000_000
HOUR_MS = 3_600_000


def test_at_most_so_many_a_week() -> None:
    budget = Budget(3, START)
    assert [budget.spend(START + hour * HOUR_MS) for hour in range(5)] == [True, True, True, False, False]
    status = budget.status(START + 5 * HOUR_MS)
    assert (status.spent, status.remaining, status.held_back, status.achieved_per_week) == (3, 0, 2, None)
    assert budget.spend(START + WEEK_MS + 1)  # the first one is a week old


def test_the_achieved_rate_is_published_once_a_week_has_passed() -> None:
    budget = Budget(5, START)
    for week in range(4):
        budget.spend(START + week * WEEK_MS + 1)
        budget.spend(START + week * WEEK_MS + 2)
    assert budget.status(START + 4 * WEEK_MS).achieved_per_week == 2.0


def test_more_metrics_share_the_same_budget() -> None:
    few, many = Budget(5, START), Budget(5, START)
    few.metrics, many.metrics = 10, 200
    assert few.raised(START) < many.raised(START) <= RAISED_HIGH


def test_the_bar_rises_while_more_is_asked_for_than_wanted() -> None:
    budget = Budget(2, START)
    budget.metrics = 20
    before = budget.raised(START)
    for hour in range(12):
        budget.spend(START + hour * HOUR_MS)
    assert budget.raised(START + 12 * HOUR_MS) > before + 1.0
    assert budget.raised(START + 6 * WEEK_MS) == before


def test_nothing_wanted_is_nothing_told() -> None:
    budget = Budget(0, START)
    assert not budget.spend(START)
    assert budget.raised(START) == UNREACHABLE


def test_a_clock_that_was_ahead_does_not_spend_the_budget() -> None:
    budget = Budget(1, START)
    assert budget.spend(START + 10**12)
    assert budget.spend(START)


def test_what_was_spent_survives_a_restart_and_is_taken_over_once() -> None:
    before, after = Budget(3, START), Budget(3, START + HOUR_MS)
    assert before.spend(START + 1)
    assert before.spend(START + 1)
    assert after.spend(START + HOUR_MS)  # before the file was read
    for _ in range(2):
        after.unpack(before.pack())
        after.unpack(after.pack())
    status = after.status(START + 2 * HOUR_MS)
    assert (status.spent, status.remaining) == (3, 0)
    assert not after.spend(START + 2 * HOUR_MS)
    assert after.status(START + WEEK_MS).achieved_per_week is not None  # watched since the earlier process began

"""Accounts per client: what is overdrawn waits, what rests fills up."""

from __future__ import annotations

import pytest

from gateway.auth.limits import BURST_S, CHANGES_PER_S, MAX_ACCOUNTS, Limits
from gateway.problems import Problem


class Clock:
    s = 100.0


def make() -> tuple[Limits, Clock]:
    clock = Clock()
    return Limits(10, 20, 0.5, now_s=lambda: clock.s), clock


def test_a_burst_of_a_minute_then_the_rate() -> None:
    limits, clock = make()
    limits.pay("samples", "a", 10 * BURST_S)
    limits.check("samples", "a")
    limits.pay("samples", "a", 25)
    with pytest.raises(Problem) as caught:
        limits.check("samples", "a")
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "3"})
    limits.check("samples", "b")
    limits.check("points", "a")
    clock.s += 2.5
    limits.check("samples", "a")
    assert limits.refused == 1


def test_an_account_never_holds_more_than_a_minute() -> None:
    limits, clock = make()
    limits.pay("actions", "a", 1)
    clock.s += 10_000
    limits.pay("actions", "a", 0.5 * BURST_S + 0.5)
    with pytest.raises(Problem):
        limits.check("actions", "a")


def test_the_number_of_accounts_is_bounded() -> None:
    limits, _ = make()
    for number in range(2 * MAX_ACCOUNTS):
        limits.pay("points", str(number), 1)
    assert len(limits._accounts) == MAX_ACCOUNTS


def test_changes_have_an_account_of_their_own() -> None:
    limits, clock = make()
    limits.pay("changes", "a", CHANGES_PER_S * BURST_S + 1)
    limits.check("actions", "a")
    with pytest.raises(Problem, match="Too many changes"):
        limits.check("changes", "a")
    clock.s += 1
    limits.check("changes", "a")

"""How much one client may ask for: an account per client and kind, filled by the second.

What is asked for is paid afterwards, when its size is known: an account may go below zero once, and then waits.
Promises: an answer 429 says after how many seconds to come again; the number of accounts is bounded, and the one
that has rested longest makes room.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal

import trio

from ..problems import Problem

Kind = Literal["samples", "points", "actions", "changes"]
BURST_S: Final = 60.0  # an account holds a minute's worth
MAX_ACCOUNTS: Final = 1_024
CHANGES_PER_S: Final = 50.0  # thresholds, layouts, marks: 3,000 at once, so that a script may set them all up
_WORDS: Final = {
    "samples": "Too many samples",
    "points": "Too many points were asked for",
    "actions": "Too many actions",
    "changes": "Too many changes",
}


class Limits:
    """What a client may use of each kind in a second. `actions` are device actions, `changes` everything else that
    the scope act may change."""

    def __init__(
        self, samples: float, points: float, actions: float, *, now_s: Callable[[], float] = trio.current_time
    ) -> None:
        self._per_s: dict[Kind, float] = {
            "samples": samples, "points": points, "actions": actions, "changes": CHANGES_PER_S,
        }  # fmt: skip
        self._now_s = now_s
        self._accounts: OrderedDict[tuple[Kind, str], tuple[float, float]] = OrderedDict()
        self.refused = 0

    def check(self, kind: Kind, client: str) -> None:
        """Raises Problem 429 while the account of `client` is overdrawn."""
        account = self._accounts.get((kind, client))
        if account is None or account[0] >= 0:
            return
        balance = self._balance(kind, account)
        if balance < 0:
            self.refused += 1
            wait_s = max(1, math.ceil(-balance / self._per_s[kind]))
            raise Problem(429, f"{_WORDS[kind]}: come again in {wait_s} s", headers={"Retry-After": str(wait_s)})

    def pay(self, kind: Kind, client: str, amount: float) -> None:
        """Take `amount` off the account of `client`."""
        key = (kind, client)
        account = self._accounts.pop(key, None)
        balance = self._per_s[kind] * BURST_S if account is None else self._balance(kind, account)
        self._accounts[key] = (balance - amount, self._now_s())
        if len(self._accounts) > MAX_ACCOUNTS:
            self._accounts.popitem(last=False)

    def _balance(self, kind: Kind, account: tuple[float, float]) -> float:
        balance, since_s = account
        per_s = self._per_s[kind]
        return min(per_s * BURST_S, balance + (self._now_s() - since_s) * per_s)

"""Sends batches to a running service and keeps the account of what became of every sample.

Promises: each sample ends as accepted, duplicate, rejected (with its reason) or unsent, exactly once; a batch
that the service did not take (503, a broken connection) is sent again, which is harmless since equal times
replace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec
import trio
from msgspec import Struct, field

from .client import Answer, HttpClient, PeerError, UnreachableError

BATCH_PATH: Final = "/api/analytics/metrics/batch"
REQUEST_WITHIN_S: Final = 30.0
FIRST_PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 10.0
MAX_REASONS: Final = 50
_RETRIED: Final = frozenset({429, 502, 503, 504})
_OTHERS: Final = "other reasons"


class GaveUpError(Exception):
    """The service took nothing for too long. `str()` is a sentence for people."""


class Account(Struct):
    """accepted + duplicates + rejected + unsent == samples, whenever no delivery is under way."""

    samples: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    unsent: int = 0
    batches: int = 0  # that the service answered for
    repeated: int = 0  # requests that had to be sent again
    reasons: Counter[str] = field(default_factory=Counter)  # of the rejected

    @property
    def unaccounted(self) -> int:
        return self.samples - self.accepted - self.duplicates - self.rejected - self.unsent

    def refuse(self, reason: str, count: int = 1) -> None:
        """Count the reason of samples that are rejected."""
        known = reason in self.reasons or len(self.reasons) < MAX_REASONS
        self.reasons[reason if known else _OTHERS] += count


async def deliver(
    client: HttpClient,
    body: bytes,
    samples: int,
    account: Account,
    *,
    patience_s: float = 60.0,
    must_reach: bool = False,
    troubled: Callable[[str], None] = lambda trouble: None,
) -> None:
    """Send one body of the batch route until the service answers for it.

    `troubled` hears why it has to be sent again, the first time. Raises GaveUpError after `patience_s` of trouble,
    when the service refuses us as such, or with `must_reach` when no connection comes about at once; the samples are
    unsent then.
    """
    account.samples += samples
    account.unsent += samples
    since, pause_s, told = trio.current_time(), FIRST_PAUSE_S, False
    while True:
        wait_s, trouble = pause_s, f"{client.url}: no answer within {REQUEST_WITHIN_S:g} s"
        try:
            with trio.move_on_after(REQUEST_WITHIN_S):
                answer = await client.request("POST", BATCH_PATH, body)
                if _settle(answer, samples, account):
                    account.unsent -= samples
                    account.batches += 1
                    return
                trouble = f"{client.url}: answered {answer.status} ({_detail(answer)})"
                wait_s = max(pause_s, _retry_after_s(answer))
        except UnreachableError as error:
            trouble = str(error)
            if must_reach and not told:
                raise GaveUpError(trouble) from error
        except PeerError as error:
            trouble = str(error)
        if trio.current_time() + wait_s - since > patience_s:
            raise GaveUpError(trouble)
        if not told:
            troubled(trouble)
            told = True
        account.repeated += 1
        await trio.sleep(wait_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _settle(answer: Answer, samples: int, account: Account) -> bool:
    """Enter the answer into the account. False: it is not final."""
    document = _document(answer)
    counts = [document.get(name) for name in ("accepted", "duplicates", "rejected")]
    match counts:
        case [int(accepted), int(duplicates), int(rejected)] if answer.status in (200, 422, 429):
            # 429 with counts: the cap on the number of metrics, which time does not lift.
            account.accepted += accepted
            account.duplicates += duplicates
            _reject(document, rejected, account)
            return True
    if answer.status in (400, 413, 422):  # this body, whatever we do
        account.refuse(_detail(answer), samples)
        account.rejected += samples
        return True
    if answer.status in _RETRIED:
        return False
    raise GaveUpError(f"answered {answer.status} ({_detail(answer)})")


def _reject(document: dict[str, Any], count: int, account: Account) -> None:
    account.rejected += count
    named = [str(error.get("message")) for error in document.get("errors", ()) if isinstance(error, dict)][:count]
    for message in named:
        account.refuse(message)
    if count > len(named):  # the service lists a bounded number
        account.refuse("not listed by the service", count - len(named))


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeError):
        return {}
    return document if isinstance(document, dict) else {}


def _detail(answer: Answer) -> str:
    return str(_document(answer).get("detail") or answer.body[:80].decode(errors="replace") or "no reason given")


def _retry_after_s(answer: Answer) -> float:
    try:
        return min(max(float(answer.headers.get("retry-after", "0")), 0.0), 60.0)
    except ValueError:  # a date: we keep our own pauses
        return 0.0

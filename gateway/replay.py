"""Replays a recording into a running service, at its own speed, faster, or as fast as the service takes it.

Promises: samples go in order of time, those of equal time in order of the file, unchanged but for one shift
of all times that brings them to now; the last never lies in the future when it arrives. Every sample is in
the account.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import trio

from .client import HttpClient
from .recording import Row
from .sender import Account, deliver

WINDOW_S: Final = 0.1  # of our time: what falls into it goes as one body
MAX_ROWS: Final = 2000  # a body


async def replay(
    rows: Sequence[Row],
    client: HttpClient,
    account: Account,
    *,
    speed: float = 1.0,
    keep_times: bool = False,
    now_ms: int,
    progress: Callable[[float], None] = lambda fraction: None,
    troubled: Callable[[str], None] = lambda trouble: None,
) -> None:
    """Send `rows` at `speed` times their own pace; 0: without pauses.

    `troubled` hears of each batch that has to be sent again. Raises GaveUpError, at once when there is no
    service; what became of the samples until then stands in `account`.
    """
    ordered = sorted(rows, key=lambda row: row.time_ms)
    first_ms, last_ms = (ordered[0].time_ms, ordered[-1].time_ms) if ordered else (0, 0)
    shift_ms = 0 if keep_times else shift(first_ms, last_ms, speed, now_ms)
    began = trio.current_time()
    for batch in batches(ordered, speed):
        if speed:
            await trio.sleep_until(began + (batch[-1].time_ms - first_ms) / 1000 / speed)
        await deliver(
            client, encode(batch, shift_ms), len(batch), account, must_reach=not account.batches, troubled=troubled
        )
        progress(account.samples / len(ordered))
    await trio.lowlevel.checkpoint()


def shift(first_ms: int, last_ms: int, speed: float, now_ms: int) -> int:
    """What to add to every time, so that each sample is as new as it can be when it is sent, and none too
    early."""
    span_ms = last_ms - first_ms
    lasts_ms = span_ms / speed if speed else 0.0
    return math.floor(now_ms - first_ms - max(0.0, span_ms - lasts_ms))


def batches(ordered: Sequence[Row], speed: float) -> Iterator[Sequence[Row]]:
    """Bodies: what falls into one window of WINDOW_S, at most MAX_ROWS."""
    window_ms = WINDOW_S * 1000 * speed if speed else math.inf
    batch: list[Row] = []
    window = 0.0
    for row in ordered:
        at = (row.time_ms - ordered[0].time_ms) // window_ms
        if batch and (at > window or len(batch) == MAX_ROWS):
            yield batch
            batch = []
        window = at
        batch.append(row)
    if batch:
        yield batch


def encode(batch: Sequence[Row], shift_ms: int) -> bytes:
    return msgspec.json.encode(
        {
            "samples": [
                {"metric_name": row.name, "timestamp": (row.time_ms + shift_ms) / 1000, "value": row.value}
                for row in batch
            ]
        }
    )

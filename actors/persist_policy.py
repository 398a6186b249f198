"""When the persister writes what nobody waits for, and how much it reads back at start."""

from __future__ import annotations

import math
from typing import Final

from msgspec import Struct

COMMIT_SAMPLES: Final = 50_000  # most samples in one transaction: bounds its memory and how long readers wait
COMMIT_GAP_S: Final = 1.0  # what is more than one transaction takes commits at most this often ...
HURRY_SAMPLES: Final = 200_000  # ... until so many wait: ingest must not come to wait for a disk that has time


class PersistPolicy(Struct, frozen=True, kw_only=True):
    """When to write, and what to read back."""

    batch_size: int  # without timed commits: so many samples waiting make a commit due
    flush_interval_s: float  # the stated loss window of samples that nobody waits for, and what bounds the card's wear
    background: bool  # False: no timed commits; full batches, ack=durable and the stop still commit
    replay_ms: int  # how much is read back into memory at start

    def due_s(self, backlog: int, *, tried_s: float, last_commit_s: float) -> float:
        """When the next commit is due; `backlog`: samples that wait for it. All times are Trio's; inf: never."""
        due_s = tried_s + self.flush_interval_s if self.background else math.inf
        if backlog >= (COMMIT_SAMPLES if self.background else self.batch_size):
            due_s = min(due_s, last_commit_s + (COMMIT_GAP_S if backlog < HURRY_SAMPLES else 0.0))
        return due_s

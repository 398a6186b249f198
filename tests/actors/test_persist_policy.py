"""When a commit is due that nobody waits for."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from actors.persist_policy import COMMIT_GAP_S, COMMIT_SAMPLES, HURRY_SAMPLES, PersistPolicy

TIMED = PersistPolicy(batch_size=100, flush_interval_s=5, background=True, replay_ms=0)


@pytest.mark.parametrize(
    ("backlog", "due_s"),
    [
        (0, 15),
        (COMMIT_SAMPLES - 1, 15),
        (COMMIT_SAMPLES, 9 + COMMIT_GAP_S),
        (HURRY_SAMPLES - 1, 9 + COMMIT_GAP_S),
        (HURRY_SAMPLES, 9),
    ],
)
def test_by_the_clock_and_sooner_the_more_waits(backlog, due_s):
    assert TIMED.due_s(backlog, tried_s=10, last_commit_s=9) == due_s


@pytest.mark.parametrize(("backlog", "due_s"), [(99, math.inf), (100, 10)])
def test_without_the_clock_a_full_batch_alone_is_a_reason(backlog, due_s):
    assert replace(TIMED, background=False).due_s(backlog, tried_s=10, last_commit_s=9) == due_s

"""What the composition root makes of settings."""

from __future__ import annotations

import pytest

from conf.settings import Settings
from gateway.composed import coach_time, persist_policy


def test_the_policy_is_in_milliseconds_and_says_what_the_settings_say() -> None:
    policy = persist_policy(Settings(memory_retention_hours=0.5, sqlite_batch_size=7))
    assert (policy.replay_ms, policy.batch_size) == (1_800_000, 7)


def test_the_coachs_clock_is_the_one_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert coach_time(Settings(time_zone="Asia/Kathmandu")).offset_ms(1_700_000_000_000) == 20_700_000
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert coach_time(Settings()).offset_ms(0) == 32_400_000

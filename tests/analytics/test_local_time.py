from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.local_time import LocalTime

ZONES = ["UTC", "America/Denver", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]


def truth(zone: str, at_ms: int) -> int:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return at_ms + round(offset.total_seconds() * 1000)


@given(st.sampled_from(ZONES), st.lists(st.integers(0, 4_000_000_000_000), min_size=1, max_size=20))
def test_any_moment_in_any_order(zone: str, moments: list[int]) -> None:
    local = LocalTime(ZoneInfo(zone))
    assert local.wall(np.array(moments)).tolist() == [truth(zone, at) for at in moments]
    assert [at + local.offset_ms(at) for at in moments] == [truth(zone, at) for at in moments]


@pytest.mark.parametrize(("month", "day"), [(3, 9), (11, 2)])
def test_around_a_change_of_the_clocks(month: int, day: int) -> None:
    middle = int(datetime(2025, month, day, 9, tzinfo=UTC).timestamp()) * 1000
    times = middle + np.arange(-50, 50) * 1_800_000
    found = LocalTime(ZoneInfo("America/Denver")).wall(times)
    assert found.tolist() == [truth("America/Denver", at) for at in times.tolist()]


def test_time_of_day() -> None:
    local = LocalTime(ZoneInfo("Asia/Kathmandu"))
    assert local.time_of_day(1_700_000_000_000) == "03:58"
    assert LocalTime().time_of_day(0) == "00:00"


@pytest.mark.parametrize("at_ms", [-(2**62), 2**62, 0])
def test_times_nobody_can_name_do_not_break_it(at_ms: int) -> None:
    local = LocalTime(ZoneInfo("Europe/Berlin"))
    assert len(local.wall(np.array([at_ms, 1_700_000_000_000]))) == 2
    local.time_of_day(at_ms)


def test_nothing_in_nothing_out() -> None:
    assert len(LocalTime().wall(np.empty(0, np.int64))) == 0

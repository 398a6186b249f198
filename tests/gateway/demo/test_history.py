"""The past is written once, continued where it ended, and never over another world."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.demo.coach import DAY_MS, MINUTE_MS
from gateway.demo.faults import Fault
from gateway.demo.history import FINE_MS, UnfitArchiveError, write_history
from gateway.demo.signals import SIGNALS
from storage.archive import ArchiveError
from storage.models import SeriesPart

JUMPS = {
    "battery.house.soc": 1.5,
    "tank.fresh.level": 2,
    "fridge.temperature": 1.5,
    "climate.front.temperature": 0.7,
    "generator.run_time": 0.05,
    "vehicle.odometer": 0.2,
}


async def test_history_covers_the_days_up_to_the_last_full_minute(archive, now_ms):
    coach = await write_history(archive, seed=1, days=3, now_ms=now_ms + 59_999)
    assert coach.now_ms == now_ms
    assert await archive.names() == sorted(signal.name for signal in SIGNALS)
    times = np.array(sorted(archive.samples["battery.house.voltage"]))
    assert times[0] == now_ms - 3 * DAY_MS + 5 * MINUTE_MS
    assert times[-1] == now_ms
    steps = np.diff(times)
    assert set(steps[times[1:] <= now_ms - FINE_MS].tolist()) == {5 * MINUTE_MS}
    assert set(steps[times[1:] > now_ms - FINE_MS].tolist()) == {MINUTE_MS}


async def test_the_same_seed_writes_the_same_history(archive, now_ms):
    await write_history(archive, seed=1, days=1, now_ms=now_ms)
    first, archive.samples = archive.samples, {}
    await write_history(archive, seed=1, days=1, now_ms=now_ms)
    assert archive.samples == first
    archive.samples = {}
    await write_history(archive, seed=2, days=1, now_ms=now_ms)
    assert archive.samples != first


async def test_progress_rises_to_one(archive, now_ms):
    seen: list[float] = []
    await write_history(archive, seed=1, days=4, now_ms=now_ms, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) == archive.appends == 8


async def test_a_history_is_continued_without_a_jump_or_a_sample_twice(archive, now_ms):
    await write_history(archive, seed=1, days=2, now_ms=now_ms)
    before = {name: dict(samples) for name, samples in archive.samples.items()}
    coach = await write_history(archive, seed=1, days=2, now_ms=now_ms + 6 * 60 * MINUTE_MS)
    assert coach.now_ms == now_ms + 6 * 60 * MINUTE_MS
    for name, samples in before.items():
        assert samples.items() <= archive.samples[name].items(), name  # nothing was overwritten
    for name, jump in JUMPS.items():
        last = max(before[name])
        after = min(time for time in archive.samples[name] if time > last)
        assert abs(archive.samples[name][after] - before[name][last]) <= jump, name


async def test_what_the_service_itself_recorded_is_no_stranger(archive, now_ms):
    await archive.append([SeriesPart("kpi.ah_per_night", np.array([now_ms - 5]), np.array([40.0]))])
    await write_history(archive, seed=1, days=0.1, now_ms=now_ms)
    await write_history(archive, seed=1, days=0.1, now_ms=now_ms + 600_000)
    assert "battery.house.voltage" in await archive.names()


async def test_a_long_absence_is_filled_with_the_days_asked_for(archive, now_ms):
    await write_history(archive, seed=1, days=1, now_ms=now_ms - 10 * DAY_MS)
    await write_history(archive, seed=1, days=2, now_ms=now_ms)
    times = np.array(sorted(archive.samples["battery.house.voltage"]))
    assert np.diff(times).max() == 8 * DAY_MS + 5 * MINUTE_MS or np.diff(times).max() == 8 * DAY_MS + MINUTE_MS


async def test_no_days_is_no_history(archive, now_ms):
    coach = await write_history(archive, seed=1, days=0, now_ms=now_ms)
    assert coach.now_ms == now_ms
    assert archive.samples == {}


async def test_another_world_is_not_touched(archive, now_ms):
    await archive.append([SeriesPart("engine.boost", np.array([now_ms]), np.array([1.0]))])
    with pytest.raises(UnfitArchiveError, match=r"engine\.boost"):
        await write_history(archive, seed=1, days=1, now_ms=now_ms)
    assert list(archive.samples) == ["engine.boost"]


async def test_a_history_from_the_future_is_not_continued(archive, now_ms):
    await write_history(archive, seed=1, days=0.1, now_ms=now_ms)
    with pytest.raises(UnfitArchiveError, match="future"):
        await write_history(archive, seed=1, days=0.1, now_ms=now_ms - DAY_MS)


async def test_trouble_with_the_archive_is_the_callers(archive, now_ms):
    archive.trouble = ArchiveError("full", "the disk is full")
    with pytest.raises(ArchiveError, match="full"):
        await write_history(archive, seed=1, days=1, now_ms=now_ms)


async def test_faults_asked_for_are_in_it(archive, now_ms):
    fault = Fault("fridge_warming", now_ms - 4 * 60 * MINUTE_MS, now_ms)
    coach = await write_history(archive, seed=1, days=1, now_ms=now_ms, faults=(fault,))
    assert fault in coach.faults(now_ms - DAY_MS, now_ms)
    assert archive.samples["fridge.temperature"][now_ms] > 7

"""The ground truth: scheduled by seed, listable, and visible in what the coach does."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.demo.coach import DAY_MS, Coach
from gateway.demo.days import has_hookup, make_day
from gateway.demo.faults import AMOUNTS, KINDS, SCHEDULED, SENTENCES, Fault, effects, fresh_faults, scheduled
from gateway.demo.signals import SIGNALS

HOUR_MS = 3_600_000


def test_the_schedule_is_the_seeds():
    days = range(20_600, 20_900)
    assert [scheduled(1, day, 0) for day in days] == [scheduled(1, day, 0) for day in days]
    assert [scheduled(1, day, 0) for day in days] != [scheduled(2, day, 0) for day in days]


def test_at_most_two_a_week_and_every_kind_in_a_year():
    found = [fault for day in range(20_600, 20_965) for fault in scheduled(1, day, 0)]
    assert {fault.kind for fault in found} == set(SCHEDULED)
    for week in range(20_600 // 7 + 1, 20_965 // 7):
        assert sum(len(scheduled(1, 7 * week + at, 0)) for at in range(7)) <= 2


def test_every_fault_shows_in_a_signal_and_has_words():
    names = {signal.name for signal in SIGNALS}
    for kind in KINDS:
        fault = Fault(kind, 0, 1)
        assert fault.metric in names
        assert fault.sentence == SENTENCES[kind]


def test_a_brownout_needs_shore_power():
    for day in range(20_600, 20_965):
        for fault in scheduled(1, day, 0):
            if fault.kind == "shore_brownout":
                begin = (fault.start_ms - day * DAY_MS) // 60_000
                assert make_day(1, day).shore[begin : begin + 45].all()


def test_effects_last_as_long_as_the_fault():
    start_ms = 20_600 * DAY_MS
    leak = Fault("water_leak", start_ms + HOUR_MS, start_ms + 2 * HOUR_MS)
    assert np.flatnonzero(effects([leak], start_ms).leak).tolist() == list(range(60, 120))
    assert not effects([leak], start_ms + DAY_MS).leak.any()
    assert (effects([], start_ms).fridge_cooling == 1).all()


def test_the_refrigerator_warms_and_recovers(now_ms):
    start_ms = now_ms - 12 * HOUR_MS
    fault = Fault("fridge_warming", start_ms + 2 * HOUR_MS, start_ms + 8 * HOUR_MS)
    coach = Coach(9, start_ms, faults=(fault,))
    before, during, after = (coach.run(start_ms + hours * HOUR_MS).columns["fridge"] for hours in (2, 8, 12))
    assert before.max() < 5
    assert during[-1] > 8
    assert after[-1] < 6


def test_a_leak_empties_the_tank_faster_than_people_do(now_ms):
    fault = Fault("water_leak", now_ms, now_ms + 4 * HOUR_MS)
    sound, leaking = (Coach(9, now_ms, faults=faults).run(now_ms + 4 * HOUR_MS) for faults in ((), (fault,)))
    lost = sound.columns["fresh"][-1] - leaking.columns["fresh"][-1]
    assert abs(lost - 100 * 4 * 12 / 300) < 0.5  # 12 L an hour of 300 L
    assert leaking.columns["gray"][-1] == sound.columns["gray"][-1]


def test_a_silent_sensor_sends_nothing(now_ms):
    fault = Fault("sensor_silent", now_ms + HOUR_MS, now_ms + 2 * HOUR_MS)
    stretch = Coach(9, now_ms, faults=(fault,)).run(now_ms + 3 * HOUR_MS)
    exterior = next(signal for signal in SIGNALS if signal.name == "exterior.temperature")
    times, values = stretch.measure(exterior, stretch.times)
    assert len(times) == len(values) == len(stretch.times) - 60
    assert not ((times >= fault.start_ms) & (times < fault.end_ms)).any()


@pytest.mark.parametrize("kind", AMOUNTS)
def test_every_fault_is_physics(now_ms, kind):
    """It moves a truth of the coach, at once or where it is needed; half as bad moves it less."""
    start_ms = now_ms - now_ms % DAY_MS
    world = effects([Fault(kind, start_ms, start_ms + DAY_MS)], start_ms)
    half = effects([Fault(kind, start_ms, start_ms + DAY_MS, severity=0.5)], start_ms)
    sound = effects([], start_ms)
    for channel, amount in AMOUNTS[kind].items():
        full, some, none = (getattr(each, channel).mean() for each in (world, half, sound))
        assert full - none == pytest.approx(amount)
        assert some - none == pytest.approx(amount / 2)


def test_a_fault_grows_for_its_onset():
    start_ms = 20_600 * DAY_MS
    fault = Fault("panel_dirty", start_ms, start_ms + DAY_MS, severity=0.8, onset_ms=12 * HOUR_MS)
    sunlight = effects([fault], start_ms).sunlight
    assert sunlight[0] == 1
    assert sunlight[360] == pytest.approx(1 - 0.6 * 0.4)
    assert sunlight[720:] == pytest.approx(1 - 0.6 * 0.8)


def column(kind, name, now_ms, hours=48, **changes):
    """(sound, faulty) over `hours`: a coach with and without the fault, far from shore power."""
    day = now_ms // DAY_MS
    seed = next(seed for seed in range(200) if not any(has_hookup(seed, day + ahead) for ahead in range(-1, 5)))
    fault = Fault(kind, now_ms, now_ms + hours * HOUR_MS, **changes)
    return [
        Coach(seed, now_ms, faults=faults, schedule=False).run(now_ms + hours * HOUR_MS).columns[name]
        for faults in ((), (fault,))
    ]


@pytest.mark.parametrize(
    ("kind", "name", "side"),
    [
        ("parasitic_draw", "soc", -1), ("battery_ageing", "soc", -1), ("door_seal", "fridge_on", 1),
        ("freezer_warming", "freezer", 1), ("propane_leak", "propane", -1), ("tanks_unserviced", "gray", 1),
        ("solar_controller_fault", "solar_power", -1), ("can_rate_drop", "can_rate", -1), ("api_slow", "api_time", 1),
        ("api_errors", "api_errors", 1),
    ],
)  # fmt: skip
def test_where_it_shows(now_ms, kind, name, side):
    sound, faulty = column(kind, name, now_ms, hours=96)
    assert side * (faulty.mean() - sound.mean()) > 0.005 * max(1.0, abs(sound.mean()))


def test_a_weak_cell_sags_under_load_and_loses_no_charge(now_ms):
    sound, faulty = column("weak_cell", "voltage", now_ms)
    current = column("weak_cell", "current", now_ms)[0]
    assert (sound - faulty)[current < -30].mean() > 0.3


def test_an_overheating_furnace_runs_for_minutes(now_ms):
    furnace = column("furnace_short_cycling", "furnace", now_ms, hours=96)
    lengths = [np.diff(np.flatnonzero(np.diff(on, prepend=0, append=0)))[::2] for on in furnace]
    assert lengths[1].max() <= 2
    assert lengths[0].mean() > 4


def test_without_a_schedule_nothing_goes_wrong_by_itself(now_ms):
    assert Coach(9, now_ms, schedule=False).faults(now_ms - 60 * DAY_MS, now_ms) == []


def test_two_fresh_faults_for_who_starts_now(now_ms):
    warming, leak = fresh_faults(now_ms)
    assert warming.start_ms < now_ms < leak.start_ms < min(warming.end_ms, leak.end_ms)

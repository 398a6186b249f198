"""The coach obeys: energy and water are balanced, and every value is one that a coach could have."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.demo.coach import DAY_MS
from gateway.demo.physics import (
    BATTERY_AH,
    BLACK_L,
    COLUMNS,
    FRESH_L,
    STEP_S,
    Outside,
    State,
    open_circuit_voltage,
    step,
)

PLAUSIBLE = {
    "voltage": (11.0, 14.8),
    "current": (-260, 160),
    "soc": (2, 100),
    "battery_temperature": (0, 45),
    "solar_power": (0, 1200),
    "leg1_voltage": (0, 126),
    "generator_load": (0, 100),
    "inside": (10, 40),
    "fridge": (0, 6),
    "freezer": (-21, -15),
    "boiler": (10, 65),
    "outside": (-15, 45),
    "fresh": (0, 100),
    "gray": (0, 100),
    "black": (0, 100),
    "propane": (0, 100),
    "engine_temperature": (-15, 105),
    "speed": (0, 115),
    "rpm": (0, 3000),
}


def quiet(**changes: float) -> Outside:
    """A minute in which nothing happens."""
    values: dict[str, float] = dict.fromkeys(Outside.__slots__, 0.0)
    values.update(outside=18, heat_to=16.5, cool_to=26, fridge_cooling=1, sunlight=1, hour=3)
    return Outside(**(values | changes))


def column(row, name):
    return row[COLUMNS.index(name)]


@pytest.mark.parametrize(("name", "bounds"), PLAUSIBLE.items())
def test_a_month_of_plausible_values(month, name, bounds):
    values = month[1].columns[name]
    assert bounds[0] <= values.min()
    assert values.max() <= bounds[1]


def test_charge_is_the_sum_of_current(month):
    """What flows in and out over a day is what the state of charge says, but for the stated losses."""
    columns = month[1].columns
    current, soc = columns["current"][1:], columns["soc"]
    for begin in range(0, 29 * 1440, 1440):
        day = slice(begin, begin + 1440)
        into, out = np.maximum(current[day], 0).sum(), np.minimum(current[day], 0).sum()
        change_ah = (soc[begin + 1440] - soc[begin]) / 100 * BATTERY_AH
        assert change_ah == pytest.approx((0.98 * into + out) * STEP_S / 3600, abs=1.5)


def test_the_charge_falls_at_night_without_shore_power(month):
    stretch = month[1]
    columns, minute = stretch.columns, (stretch.times % DAY_MS) // 60_000
    alone = (columns["ats"] == 0) & (minute > 60) & (minute < 360)  # in the coach's time, here UTC
    change = np.diff(columns["soc"])[alone[1:] & alone[:-1]]
    assert len(change) > 1000
    assert (change <= 0).all()
    assert change.mean() * 300 < -4  # some per cent in five hours


def test_no_sun_at_night_and_none_for_the_panels(month):
    stretch = month[1]
    minute = (stretch.times % DAY_MS) // 60_000
    night = (minute < 300) | (minute > 1200)
    assert (stretch.columns["solar_power"][night] == 0).all()
    assert (stretch.columns["solar_voltage"][night] == 0).all()
    assert stretch.columns["solar_power"].max() > 300


def test_voltage_follows_charge_and_current():
    assert [round(open_circuit_voltage(soc), 2) for soc in (0, 0.5, 1)] == [11.2, 13.14, 13.6]
    socs = np.linspace(0, 1, 200)
    assert (np.diff([open_circuit_voltage(soc) for soc in socs]) > 0).all()
    idle, loaded = (step(State(soc=0.5), quiet(appliances=watts)) for watts in (0, 1200))
    assert column(loaded, "voltage") < column(idle, "voltage") - 0.3
    assert column(loaded, "current") < column(idle, "current") - 90


def test_tanks_only_fall_between_fills(month):
    columns = month[1].columns
    for name, rising in (("fresh", 19 / FRESH_L * 100), ("propane", 2 / 36 * 100)):
        change = np.diff(columns[name])
        up = np.flatnonzero(change > 0)
        assert len(up), name
        begin = up[np.diff(up, prepend=-2) > 1]
        assert (change[begin] > 0.9 * rising).all(), name  # nothing but the hose fills it
        assert change[up].max() <= rising + 1e-9, name
    for name in ("gray", "black"):
        change = np.diff(columns[name])
        assert (change[change < 0] < -5).sum() > 3, name  # emptied, with a hose
        assert columns[name].max() < 95, name


def test_water_is_neither_made_nor_lost():
    state = State(fresh=100, gray=10, black=10)
    before = state.fresh + state.gray / 0.97 + state.black / 1.25
    step(state, quiet(draw=3, flush=1.3))
    assert state.fresh + state.gray / 0.97 + state.black / 1.25 == pytest.approx(before)
    state = State(fresh=1, black=BLACK_L)
    row = step(state, quiet(draw=3, flush=1.3))
    assert state.fresh == 0
    assert column(row, "black") == 100


def test_the_refrigerator_cycles(month):
    """A compressor that runs between an eighth and two thirds of the time, in turns of some minutes to hours."""
    running = month[1].columns["fridge_on"]
    assert 0.125 < running.mean() < 0.67
    starts = np.flatnonzero(np.diff(running) > 0)
    assert 12 < np.median(np.diff(starts)) < 150


def test_the_furnace_heats_and_rests(month):
    furnace, inside = month[1].columns["furnace"], month[1].columns["inside"]
    assert 0.01 < furnace.mean() < 0.6
    assert np.diff(inside)[furnace[1:] > 0].mean() > 0.05
    assert (np.diff(month[1].columns["propane"])[furnace[1:] > 0] < 0).mean() > 0.95


def test_shore_power_charges_and_carries_the_loads():
    row = step(State(soc=0.5), quiet(appliances=900, shore=1))
    assert column(row, "current") > 30
    assert column(row, "inverter_load") == 900  # passed through
    assert 110 < column(row, "leg1_voltage") < 122
    assert column(row, "leg1_current") == pytest.approx((820 / 0.88 + 900) / column(row, "leg1_voltage"), rel=0.02)
    assert column(row, "ats") == 1
    assert column(step(State(), quiet(shore=1, sag=19)), "leg1_voltage") < 104


def test_the_generator_starts_when_the_battery_is_low_and_nobody_sleeps():
    state = State(soc=0.4)
    assert column(step(state, quiet(hour=3)), "generator_running") == 0
    assert column(step(state, quiet(hour=9)), "generator_running") == 1
    assert column(step(state, quiet(hour=9)), "ats") == 2
    assert column(step(state, quiet(hour=22)), "generator_running") == 0


def test_the_air_conditioner_needs_alternating_current():
    assert column(step(State(inside=29), quiet(outside=41)), "air_conditioner") == 0
    row = step(State(inside=29), quiet(outside=41, shore=1))
    assert column(row, "air_conditioner") == 1
    assert column(row, "leg2_current") == pytest.approx(12, abs=0.5)


def test_driving_charges_and_warms_the_engine():
    state = State(soc=0.5)
    rows = [step(state, quiet(engine=1, speed=88)) for _ in range(40)]
    assert column(rows[-1], "engine_temperature") == pytest.approx(88.5, abs=1.5)
    assert column(rows[-1], "alternator_current") > 60
    assert column(rows[-1], "odometer") - State().odometer == pytest.approx(40 * 88 / 60)
    assert column(step(state, quiet(engine=1)), "rpm") == 650
    assert column(step(state, quiet()), "rpm") == 0


def test_a_weak_alternator_gives_less_and_headlights_ask_for_more():
    def given(**changes: float) -> tuple[float, float]:
        row = step(State(soc=0.5), quiet(engine=1, speed=88, **changes))
        return column(row, "alternator_current"), column(row, "chassis_voltage")

    dark, light = given(), given(irradiance=400)
    assert dark[0] - light[0] == pytest.approx(9)
    assert dark[1] == light[1] == pytest.approx(14.1)
    assert given(alternator_loss=0.6)[0] == pytest.approx(0.4 * dark[0])
    assert given(alternator_loss=0.6)[1] < 13.2
    assert given(alternator_loss=1.6) == given(alternator_loss=1.0) == (0, pytest.approx(12.4))


def test_every_column_has_a_value(month):
    assert len(step(State(), quiet())) == len(COLUMNS)
    assert all(np.isfinite(values).all() for values in month[1].columns.values())

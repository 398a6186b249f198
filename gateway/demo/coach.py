"""The simulated coach: runs the world minute by minute and measures it.

Owns `Coach`, which only goes forward. Promises: the same seed, start and state give the same samples,
whoever asks and in whatever stretches; two stretches that follow each other join without a jump, so that
history and the live coach are one. Only `mend` changes what is to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace
from numpy.typing import NDArray

from storage.models import Times, Values

from .days import LIGHTS, MINUTES, Day, make_day
from .faults import Effects, Fault, FaultKind, effects, scheduled
from .oddities import Oddity, lived
from .physics import BLACK_L, COLUMNS, EFFECTS, FRESH_L, GRAY_L, PROPANE_KG, Outside, State, step
from .sensors import SENSOR_FAULTS, sensed, sent
from .signals import SIGNALS, Signal, measure

MINUTE_MS: Final = 60_000
DAY_MS: Final = MINUTES * MINUTE_MS
LIGHT_W: Final = 11.0  # at full brightness
Columns = Mapping[str, Values]


class Stretch(Struct, frozen=True):
    """What was true on a grid of minutes, both ends included; between them straight lines."""

    times: Times
    columns: Columns
    seed: int
    faults: tuple[Fault, ...] = ()  # of sensors
    oddities: tuple[Oddity, ...] = ()
    held: Mapping[Fault, float] = field(default_factory=dict)  # what stuck sensors say

    def measure(self, signal: Signal, times: Times) -> tuple[Times, Values]:
        """What `signal` reports at `times` (within this stretch): times and values, silences left out."""
        times = sent(signal, times, self.faults, self.oddities)
        truth = self.truth(signal.column, times, held=signal.state)
        if signal.while_column is not None:
            # What is plugged in, started or stopped goes from nothing to all at once, not by and by.
            before, after = (self.truth(signal.column, edge, held=True) for edge in self._edges(times))
            truth = np.where((before == 0) != (after == 0), before, truth)
        truth = sensed(signal, times, truth, self.faults, self.oddities, self.held, self.seed)
        return times, measure(signal, truth, times, self.seed)

    def _edges(self, times: Times) -> tuple[Times, Times]:
        """The full minutes around each time, the second one at most the end of the stretch."""
        before = times // MINUTE_MS * MINUTE_MS
        return before, np.minimum(before + MINUTE_MS, self.times[-1])

    def truth(self, column: str, times: Times, *, held: bool = False) -> Values:
        """`held`: the value of the minute that began last, for what switches."""
        known = self.columns[column]
        if held:
            return known[np.searchsorted(self.times, times, side="right") - 1]
        return np.interp(times, self.times, known)

    def active(self, signal: Signal, times: Times) -> NDArray[np.bool_]:
        """Whether the signal is sent at its full cadence."""
        if signal.while_column is None:
            return np.ones(len(times), dtype=np.bool_)
        return np.not_equal(self.truth(signal.while_column, times, held=True), 0)


class Coach:
    """A coach at `now_ms`, a full minute. `state`: as it stands then; `faults`: besides the scheduled.

    `schedule=False`: nothing goes wrong but `faults`.
    """

    def __init__(
        self,
        seed: int,
        start_ms: int,
        *,
        state: State | None = None,
        utc_offset_ms: int = 0,
        faults: Sequence[Fault] = (),
        oddities: Sequence[Oddity] = (),
        schedule: bool = True,
    ) -> None:
        self.seed = seed
        self.state = state or State()
        self._offset_ms = utc_offset_ms
        self._faults = tuple(faults)
        self._oddities = tuple(oddities)
        self._schedule = schedule
        self._held: dict[Fault, float] = {}
        self.now_ms = start_ms // MINUTE_MS * MINUTE_MS - MINUTE_MS
        self._last = np.empty((0, 0))
        self._last = self._step(1)[-1:]

    def faults(self, start_ms: int, end_ms: int) -> list[Fault]:
        """The ground truth: every fault that is active in the span, by time."""
        days = range((start_ms + self._offset_ms) // DAY_MS - 1, (end_ms + self._offset_ms) // DAY_MS + 1)
        found = [fault for day in days for fault in scheduled(self.seed, day, self._offset_ms) if self._schedule]
        found += self._faults
        return sorted(
            (fault for fault in found if fault.start_ms < end_ms and fault.end_ms > start_ms),
            key=lambda fault: fault.start_ms,
        )

    def mend(self, kind: FaultKind) -> None:
        """Somebody has done something about it: of the faults given to this coach, those of `kind` end now."""
        self._faults = tuple(
            replace(fault, end_ms=max(fault.start_ms, min(fault.end_ms, self.now_ms))) if fault.kind == kind else fault
            for fault in self._faults
        )

    def run(self, until_ms: int) -> Stretch:
        """Go on to the first full minute that is not before `until_ms`; what was true on the way there."""
        begin_ms = self.now_ms
        minutes = max(0, -((begin_ms - until_ms) // MINUTE_MS))
        table = np.vstack((self._last, self._step(minutes))) if minutes else self._last
        self._last = table[-1:]
        times = begin_ms + np.arange(len(table), dtype=np.int64) * MINUTE_MS
        faults = [fault for fault in self.faults(begin_ms, self.now_ms + 1) if fault.kind in SENSOR_FAULTS]
        columns = dict(zip(_ALL_COLUMNS, table.T, strict=True))
        for fault in faults:
            if fault.kind == "sensor_stuck" and fault not in self._held:
                self._held[fault] = float(np.interp(fault.start_ms, times, columns[_COLUMN_OF[fault.metric]]))
        return Stretch(times, columns, self.seed, tuple(faults), self._oddities, dict(self._held))

    def _step(self, minutes: int) -> NDArray[np.float64]:
        """`minutes` rows of _ALL_COLUMNS; moves the clock."""
        rows: list[NDArray[np.float64]] = []
        while minutes > 0:
            day, first = divmod((self.now_ms + self._offset_ms) // MINUTE_MS, MINUTES)
            count = min(minutes, MINUTES - first)
            rows.append(self._step_in_day(day, first, count))
            self.now_ms += count * MINUTE_MS
            minutes -= count
        return np.vstack(rows)

    def _step_in_day(self, day: int, first: int, count: int) -> NDArray[np.float64]:
        start_ms = day * DAY_MS - self._offset_ms
        world = lived(make_day(self.seed, day), self._oddities, self.seed, day, start_ms)
        effect = effects(self.faults(start_ms, start_ms + DAY_MS), start_ms)
        span = slice(first, first + count)
        state = self.state
        physical = np.array([step(state, now) for now in _outside(world, effect, span)])
        lights = world.lights[:, span]
        others = _network(physical, lights, effect, span)
        return np.column_stack((physical, lights.T, lights.T > 0, others))


def state_from(latest: Mapping[str, float]) -> State:
    """The state of a coach whose metrics last said `latest`; what they do not say is as in a new one."""
    state = State()
    for name, (attribute, scale) in _REMEMBERED.items():
        if name in latest:
            value = latest[name] * scale
            setattr(state, attribute, value >= 0.5 if isinstance(getattr(state, attribute), bool) else value)
    return state


def _outside(world: Day, effect: Effects, span: slice) -> Iterable[Outside]:
    columns = [
        world.irradiance, world.outside, world.lights.sum(axis=0) * LIGHT_W / 100, world.appliances,
        world.draw, world.flush, world.cooking, world.door, world.engine, world.speed, world.shore,
        world.heat_to, world.cool_to, world.service, np.arange(MINUTES) / 60,
    ]  # fmt: skip
    columns += [getattr(effect, name) for name in EFFECTS]
    return (Outside(*row) for row in zip(*(column[span].tolist() for column in columns), strict=True))


def _network(
    physical: NDArray[np.float64], lights: NDArray[np.float64], effect: Effects, span: slice
) -> NDArray[np.float64]:
    """The bus and the computer on it: columns as in _NETWORK."""
    index = _INDEX
    busy = (
        62
        + 48 * physical[:, index["engine_running"]]
        + 9 * physical[:, index["generator_running"]]
        + 3 * physical[:, index["furnace"]]
        + 2 * (lights > 0).sum(axis=0)
    )
    hour = np.arange(MINUTES)[span] / 60
    evening = np.exp(-(((hour - 20) / 2) ** 2))  # people look at their dashboards
    errors = effect.bus_errors[span]
    rate = (busy - 4 * errors) * (1 - effect.bus_loss[span])
    time = 11 + 7 * evening + effect.api_delay[span]
    return np.column_stack((rate, errors, time, effect.api_errors[span], 6 + 3 * evening))


_INDEX: Final = {name: index for index, name in enumerate(COLUMNS)}
_NETWORK: Final = ("can_rate", "can_errors", "api_time", "api_errors", "websocket_latency")
_ALL_COLUMNS: Final = (
    *COLUMNS,
    *(f"light_{name}" for name in LIGHTS),
    *(f"light_{name}_on" for name in LIGHTS),
    *_NETWORK,
)
_COLUMN_OF: Final = {signal.name: signal.column for signal in SIGNALS}
_REMEMBERED: Final[dict[str, tuple[str, float]]] = {
    "battery.house.soc": ("soc", 0.01),
    "tank.fresh.level": ("fresh", FRESH_L / 100),
    "tank.gray.level": ("gray", GRAY_L / 100),
    "tank.black.level": ("black", BLACK_L / 100),
    "tank.propane.level": ("propane", PROPANE_KG / 100),
    "climate.front.temperature": ("inside", 1),
    "climate.rear.temperature": ("rear", 1),
    "fridge.temperature": ("fridge", 1),
    "freezer.temperature": ("freezer", 1),
    "water_heater.temperature": ("boiler", 1),
    "battery.house.temperature": ("battery", 1),
    "engine.coolant.temperature": ("engine", 1),
    "generator.coolant.temperature": ("generator", 1),
    "inverter.temperature": ("inverter", 1),
    "generator.run_time": ("generator_h", 1),
    "vehicle.odometer": ("odometer", 1),
    "climate.furnace.on": ("furnace", 1),
    "climate.air_conditioner.on": ("cooling", 1),
    "fridge.compressor.on": ("fridge_on", 1),
    "water_heater.on": ("boiler_on", 1),
    "generator.running": ("generating", 1),
}

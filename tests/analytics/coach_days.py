"""A coach's days on a grid of five-minute slots, made by hand: what the checks of a coach are tried on.

Nothing of the simulator is in here. `Days` holds one array per metric (a value a slot, ends included); a test bends
some of them and asks for the view at the end.
"""

from __future__ import annotations

import numpy as np

from analytics.catalogue import Catalogue
from analytics.coach_log import SLOT_MS, CoachLog, is_logged
from analytics.coach_view import CoachView

START_MS = 1_790_000_000_000 // 86_400_000 * 86_400_000
A_DAY = 288
AN_HOUR = 12


class Days:
    """`days` days from midnight and `hours` more. Off shore power, sunny, an unremarkable life."""

    def __init__(self, days: int = 10, hours: float = 0.0, seed: int = 1) -> None:
        self.slots = count = days * A_DAY + round(hours * AN_HOUR)
        dice = np.random.default_rng(seed)
        hour = np.arange(count) % A_DAY / AN_HOUR
        day = np.arange(count) // A_DAY
        sun = np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi)) * (1 - 0.2 * np.sin(day))
        turn = (np.arange(count) % 9 < 3).astype(float)  # a compressor
        out = 4 + 5 * turn + 12 * ((hour > 18.5) & (hour < 22)) + dice.uniform(-0.1, 0.1, count)
        soc, current = np.empty(count), np.empty(count)
        level = 90.0
        for slot in range(count):
            current[slot] = min(60 * sun[slot], (100 - level) * 20) - out[slot]
            level = min(100.0, level + current[slot] / AN_HOUR / 4)
            soc[slot] = level
        load = 60.0 * ((hour > 7) & (hour < 7.2) | (hour > 19) & (hour < 19.2))
        self.hour = hour
        self.values: dict[str, np.ndarray] = {
            "battery.house.current": current - load,
            "battery.house.soc": soc,
            "battery.house.voltage": 13.1 + 0.004 * (current - load) + 0.001 * soc,
            "solar.power": 13.2 * np.minimum(60 * sun, (100 - soc) * 20 + out),
            "solar.voltage": np.where(sun > 0.02, 37.0, 0.0),
            "shore.leg1.voltage": np.zeros(count),
            "generator.running": np.zeros(count),
            "generator.load": np.zeros(count),
            "generator.run_time": np.full(count, 440.0),
            "engine.rpm": np.zeros(count),
            "engine.coolant.temperature": np.full(count, 20.0),
            "alternator.current": np.zeros(count),
            "battery.chassis.voltage": np.full(count, 12.7),
            "climate.front.temperature": 21 + np.sin(hour / 24 * 2 * np.pi) + dice.normal(0, 0.05, count),
            "climate.front.cool_setpoint": np.full(count, 25.0),
            "climate.furnace.on": np.zeros(count),
            "climate.air_conditioner.on": np.zeros(count),
            "exterior.temperature": 18 + 6 * np.sin((hour - 9) / 24 * 2 * np.pi),
            "fridge.temperature": 3 + turn + dice.normal(0, 0.1, count),
            "fridge.compressor.on": turn,
            "freezer.temperature": -18 + dice.normal(0, 0.2, count),
            "water_heater.on": (np.arange(count) % 60 < 4).astype(float),
            "can.message_rate": 65 + dice.uniform(0, 4, count),
            "api.response_time": 11 + dice.uniform(0, 2, count),
            "api.error_rate": np.zeros(count),
            "can.error_rate": dice.uniform(0, 0.5, count),
        }
        self._water()
        burnt = 0.4 * self.values["water_heater.on"]
        self.values["tank.propane.level"] = 90 - np.cumsum(burnt) / AN_HOUR

    def _water(self) -> None:
        """Showers, dishes and the toilet; filled and emptied at nine when it is time."""
        fresh, gray, black = np.empty(self.slots), np.empty(self.slots), np.empty(self.slots)
        now = [80.0, 20.0, 10.0]
        for slot in range(self.slots):
            at = slot % A_DAY
            drawn = 6.0 if at in (85, 230) else 0.5 if at % 24 == 0 and 84 < at < 260 else 0.0
            flushed = 0.4 if at % 36 == 5 else 0.0
            now[0] -= drawn + flushed
            now[1] += 1.16 * drawn
            now[2] += 2.5 * flushed
            if at == 108 and now[0] < 45:
                now[0] = 97.0
            if at == 108 and max(now[1:]) > 55:
                now[1:] = [0.0, 0.0]
            fresh[slot], gray[slot], black[slot] = now
        self.values["tank.fresh.level"] = np.round(fresh * 2) / 2
        self.values["tank.gray.level"] = np.round(gray * 2) / 2
        self.values["tank.black.level"] = np.round(black * 2) / 2

    def last(self, hours: float) -> slice:
        return slice(self.slots - round(hours * AN_HOUR), self.slots)

    def log(self, catalogue: Catalogue, without: tuple[str, ...] = ()) -> CoachLog:
        """Five samples a slot for gauges (so that neighbours can be compared), one for states."""
        log = CoachLog()
        end_ms = START_MS + self.slots * SLOT_MS
        for name, values in self.values.items():
            spec = catalogue.spec(name)
            if name in without:
                continue
            assert is_logged(spec), name
            each = 1 if spec.kind == "state" else 5
            times = START_MS + np.arange(self.slots * each, dtype=np.int64) * (SLOT_MS // each)
            log.take(name, spec, times, np.repeat(values, each), end_ms)
        return log

    def view(self, catalogue: Catalogue, without: tuple[str, ...] = ()) -> CoachView:
        log = self.log(catalogue, without)
        return CoachView(log, lambda times: times, log.end_slot)


def strength(check, view: CoachView, metric: str | None = None) -> float:  # type: ignore[no-untyped-def]
    """Of the strongest sign of `check`; 0: it says nothing."""
    signs = [sign for sign in check(view) if metric in (None, sign.track.name) and sign.cover >= 0.5]
    return max((sign.strength for sign in signs), default=0.0)

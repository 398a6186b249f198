"""What can happen between the truth and what is sent: sensors that are silent, stuck, noisy, or have been replaced.

Owns what these do to a signal. The truth itself is never touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from storage.models import Times, Values

from .faults import Fault, FaultKind
from .oddities import Oddity
from .signals import Signal, gaussian

SENSOR_FAULTS: Final[tuple[FaultKind, ...]] = ("power_loss", "sensor_noisy", "sensor_silent", "sensor_stuck")
NOISE_AT_WORST: Final = 4.0  # in the metric's unit, for the temperatures this happens to
REPLACED_METRIC: Final = "climate.rear.temperature"
REPLACED_OFFSET: Final = 0.6  # °C: the new one reads a little higher ...
REPLACED_PAUSE_MS: Final = 20 * 60_000  # ... after so long without any


def sent(signal: Signal, times: Times, faults: Sequence[Fault], oddities: Sequence[Oddity]) -> Times:
    """Those of `times` at which `signal` is sent at all."""
    for fault in faults:
        if fault.kind == "power_loss" or (fault.kind == "sensor_silent" and fault.metric == signal.name):
            times = times[(times < fault.start_ms) | (times >= fault.end_ms)]
    for oddity in oddities:
        if oddity.kind == "sensor_replaced" and signal.name == REPLACED_METRIC:
            times = times[(times < oddity.start_ms) | (times >= oddity.start_ms + REPLACED_PAUSE_MS)]
    return times


def sensed(
    signal: Signal,
    times: Times,
    truth: Values,
    faults: Sequence[Fault],
    oddities: Sequence[Oddity],
    held: Mapping[Fault, float],
    seed: int,
) -> Values:
    """What the sensor of `signal` makes of `truth`, before its ordinary noise. `held`: where stuck ones stand."""
    for fault in faults:
        if fault.metric != signal.name:
            continue
        if fault.kind == "sensor_noisy":
            truth = truth + NOISE_AT_WORST * fault.depth(times) * gaussian(seed, f"{signal.name} loose", times)
        elif fault.kind == "sensor_stuck" and fault in held:
            truth = np.where((times >= fault.start_ms) & (times < fault.end_ms), held[fault], truth)
    for oddity in oddities:
        if oddity.kind == "sensor_replaced" and signal.name == REPLACED_METRIC:
            truth = truth + REPLACED_OFFSET * (times >= oddity.start_ms)
    return truth

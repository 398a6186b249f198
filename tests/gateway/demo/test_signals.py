"""What sensors make of the truth."""

from __future__ import annotations

import numpy as np
import pytest

from conf.loader import load_catalogue
from gateway.demo.coach import _ALL_COLUMNS
from gateway.demo.signals import SIGNALS, Signal, gaussian, hash_text, measure
from gateway.ingest import name_problem

TIMES = np.arange(0, 200_000, 500, dtype=np.int64)


def test_about_sixty_signals_with_valid_distinct_names():
    names = [signal.name for signal in SIGNALS]
    assert 55 <= len(names) <= 70
    assert len(set(names)) == len(names)
    assert not any(name_problem(name) for name in names)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
def test_every_signal_is_in_the_catalogue_and_measures_something(signal):
    spec = load_catalogue().spec(signal.name)
    assert (spec.unit or "") == signal.unit
    assert (spec.kind == "state") == signal.state or "setpoint" in signal.name
    assert signal.column in _ALL_COLUMNS
    assert signal.while_column is None or signal.while_column in _ALL_COLUMNS


def test_noise_is_the_same_for_the_same_instant():
    whole = gaussian(1, "a", TIMES)
    assert np.array_equal(np.concatenate((gaussian(1, "a", TIMES[:77]), gaussian(1, "a", TIMES[77:]))), whole)
    assert not np.array_equal(gaussian(2, "a", TIMES), whole)
    assert not np.array_equal(gaussian(1, "b", TIMES), whole)


@pytest.mark.parametrize("seed", [0, 1, 12345, -3])
def test_noise_is_nearly_normal_and_without_memory(seed):
    noise = gaussian(seed, "battery.house.voltage", np.arange(0, 10_000_000, 100, dtype=np.int64))
    assert abs(noise.mean()) < 0.02
    assert noise.std() == pytest.approx(1, abs=0.02)
    assert np.abs(noise).max() <= 3
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.02


def test_a_reading_has_the_grain_of_its_sensor_and_zero_is_zero():
    signal = Signal("x", "V", "voltage", 0.01, noise=0.02)
    read = measure(signal, np.full(len(TIMES), 12.345), TIMES, 1)
    assert np.allclose(read * 100, np.round(read * 100))
    assert 5 < len(set(read.tolist())) < 40
    nothing = measure(signal, np.zeros(len(TIMES)), TIMES, 1)
    assert (nothing == 0).all()
    assert not np.signbit(measure(Signal("x", "A", "current", 0.1), np.array([-0.01]), TIMES[:1], 1)).any()


def test_the_hash_of_a_name_is_known():
    assert hash_text("") == 0xCBF29CE484222325
    assert hash_text("a") == 0xAF63DC4C8601EC8C  # FNV-1a test vector

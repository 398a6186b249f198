from __future__ import annotations

import numpy as np
import pytest

from analytics.echo import Echo


def after(values: list[float]) -> float:
    echo = Echo()
    return [echo.take(value) for value in values][-1]


@pytest.mark.parametrize("coefficient", [-0.6, 0.0, 0.5, 0.9])
def test_it_is_the_coefficient_of_noise_with_memory(coefficient: float) -> None:
    rng = np.random.default_rng(4)
    values = [0.0]
    for shock in rng.normal(size=4_000).tolist():
        values.append(coefficient * values[-1] + shock)
    assert after(values) == pytest.approx(coefficient, abs=0.1)


def test_it_forgets() -> None:
    rng = np.random.default_rng(5)
    slow = np.repeat(rng.normal(size=400), 10).tolist()
    assert after(slow) > 0.8
    assert abs(after([*slow, *rng.normal(size=6_000).tolist()])) < 0.15


def test_one_shout_is_not_the_habit() -> None:
    rng = np.random.default_rng(6)
    noise = rng.normal(size=2_000).tolist()
    assert abs(after([*noise, 1e9, 1e9, *noise[:200]])) < 0.5


def test_what_lies_still_has_no_echo() -> None:
    assert after([3.0] * 50) == 0.0


def test_it_says_the_same_after_a_restart() -> None:
    rng = np.random.default_rng(7)
    echo, restored = Echo(), Echo()
    for value in rng.normal(size=300).tolist():
        echo.take(value)
    restored.unpack(echo.pack())
    assert [restored.take(each) for each in (1.0, 2.0, -1.0)] == [echo.take(each) for each in (1.0, 2.0, -1.0)]

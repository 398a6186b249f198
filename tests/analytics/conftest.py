"""Series that tests are made of: seeded noise with and without memory, and the shipped catalogue and rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from analytics.catalogue import Catalogue
from analytics.catalogue_text import parse_catalogue
from analytics.rules import Rules, parse_rules

CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture(autouse=True)
def _numpy_is_strict() -> Iterator[None]:
    """Overflow, invalid operations and division by zero are errors in analytics, not warnings."""
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_240_229)


Noise = Callable[[str, int], np.ndarray]


@pytest.fixture
def noise(rng: np.random.Generator) -> Noise:
    """`noise("ar.9", n)`: AR(1) with that coefficient; also white, walk, t3, lognormal."""

    def make(kind: str, count: int) -> np.ndarray:
        if kind == "white":
            return rng.normal(size=count)
        if kind == "walk":
            return rng.normal(size=count).cumsum()
        if kind == "t3":
            return rng.standard_t(3, size=count)
        if kind == "lognormal":
            return rng.lognormal(size=count)
        memory = float(kind.removeprefix("ar"))
        shocks = rng.normal(size=count + 200)
        values = np.zeros(count + 200)
        for index in range(1, count + 200):
            values[index] = memory * values[index - 1] + shocks[index]
        return values[200:]

    return make


@pytest.fixture(scope="session")
def shipped_catalogue() -> Catalogue:
    return parse_catalogue(yaml.safe_load((CONF / "metrics.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def shipped_rules() -> Rules:
    return parse_rules(yaml.safe_load((CONF / "rules.yaml").read_text(encoding="utf-8")))

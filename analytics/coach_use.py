"""What is used up and what accounts for it: water by what arrives in the waste tanks, propane by what burns it.

Owns the learned account: falls of a level explained by its consumers (non-negative least squares over blocks of time),
and what is left unexplained. Blocks in which somebody fills or empties a tank are left out. Capacities are not asked
for: the factors are learned in % of one tank per unit of its consumer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .coach_view import Mask
from .robust import Values, mad_sigma

RIDGE: Final = 1e-6
GRAIN: Final = 0.25  # %, half a step of a usual level sensor
SERVICED: Final = 1.2  # % against the usual direction within five minutes: a hose, not a sensor
FLICKER: Final = 1.2  # %, as little as can be a sensor's and no hose's
ROUNDS: Final = 60


class Account(Struct, frozen=True):
    """`factors`: the level's fall per unit of each consumer. `spread`: what blocks usually leave unexplained.

    `covariance`: of the factors, by the theory of least squares; a consumer that hardly ran has taught little.
    """

    factors: Values
    spread: float
    covariance: NDArray[np.float64]

    def explains(self, consumers: Sequence[Values]) -> float:
        """The fall that these explain."""
        return sum(float(factor * each.sum()) for factor, each in zip(self.factors, consumers, strict=True))

    def doubt(self, consumers: Sequence[Values]) -> float:
        """The standard error of what they explain."""
        sums = np.array([each.sum() for each in consumers])
        return float(np.sqrt(max(0.0, sums @ self.covariance @ sums)))


def falls(level: Values) -> Values:
    """How much the level fell in each slot, 0 where it did not or is not known.

    What falls back after a rise of no more than FLICKER was a sensor between two of its steps, and no water.
    """
    fell = np.zeros(len(level))
    lowest = np.nan
    for slot, value in enumerate(level.tolist()):
        if value < lowest:
            fell[slot] = lowest - value
        if not lowest <= value <= lowest + FLICKER:
            lowest = value
    return fell


def rises(level: Values) -> Values:
    return falls(-level)


def serviced(level: Values, *, waste: bool) -> Mask:
    """Slots in which the tank was filled (`waste`: emptied), and their neighbours."""
    change = np.diff(level, prepend=np.nan)
    jump = np.where(np.isfinite(change), -change if waste else change, 0.0) > SERVICED
    near = np.convolve(jump, np.ones(3), "same") > 0
    result: Mask = near
    return result


def blocks(values: Values, good: Mask, size: int) -> tuple[Values, Mask]:
    """Sums over blocks of `size` slots that end with the last one; and which blocks are good throughout."""
    count = len(values) // size
    kept = slice(len(values) - count * size, len(values))
    every: Mask = np.asarray(good[kept].reshape(count, size).all(axis=1))
    return values[kept].reshape(count, size).sum(axis=1), every


def learn(used: Values, consumers: Sequence[Values], good: Mask) -> Account | None:
    """The account over `good` blocks. None: too few of them."""
    if good.sum() < 8:
        return None
    target = used[good]
    columns = np.column_stack([consumer[good] for consumer in consumers])
    factors = _non_negative(columns, target)
    spread = max(mad_sigma(target - columns @ factors), GRAIN)
    gram = columns.T @ columns + RIDGE * np.eye(columns.shape[1])
    return Account(factors, spread, spread**2 * np.asarray(np.linalg.inv(gram), dtype=np.float64))


def _non_negative(columns: NDArray[np.float64], target: Values) -> Values:
    """Least squares with factors >= 0, by coordinate descent on the normal equations (few columns)."""
    gram = columns.T @ columns
    right = columns.T @ target
    factors = np.zeros(columns.shape[1])
    for _ in range(ROUNDS):
        for index in range(len(factors)):
            own = gram[index, index] + RIDGE
            rest = right[index] - gram[index] @ factors + gram[index, index] * factors[index]
            factors[index] = max(0.0, rest / own)
    return factors

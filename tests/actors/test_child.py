"""What a child's spec promises, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from actors.supervisor import Beyond, ChildSpec, Restart


def test_the_defaults_are_those_of_the_contract() -> None:
    spec = ChildSpec(name="x", run=trio.sleep_forever)
    assert (spec.restart, spec.beyond) == (Restart.PERMANENT, Beyond.ESCALATE)
    assert (spec.intensity, spec.period_s) == (5, 60)
    assert (spec.backoff_s, spec.backoff_factor, spec.backoff_max_s, spec.jitter) == (0.2, 2, 30, 0.2)
    assert (spec.stable_s, spec.ready_within_s, spec.stop_within_s, spec.hung_after_s) == (60, 10, 5, 30)
    with pytest.raises(AttributeError):
        spec.intensity = 6  # type: ignore[misc]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"name": ""},
        {"intensity": -1},
        {"period_s": 0},
        {"stop_within_s": float("nan")},
        {"jitter": 1.0},
        {"backoff_s": 40},
        {"backoff_max_s": float("inf")},
        {"backoff_factor": 0.5},
    ],
)
def test_nonsense_is_refused(nonsense: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ChildSpec(**{"name": "x", "run": trio.sleep_forever, **nonsense})


@pytest.mark.parametrize("out_of_reach", [{"intensity": 9}, {"ready_within_s": 12}, {"period_s": 50}])
def test_an_intensity_that_can_never_be_exceeded_is_refused(out_of_reach: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="restarted for ever"):
        ChildSpec(name="x", run=trio.sleep_forever, **out_of_reach)
    ChildSpec(name="x", run=trio.sleep_forever, restart=Restart.TEMPORARY, **out_of_reach)

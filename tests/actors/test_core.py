"""What an answer of CoachIQ's core says: the body decides, and where it is not clear, nobody knows."""

from __future__ import annotations

import pytest

from actors.core import CoreAnswer, judged


@pytest.mark.parametrize(
    ("answer", "phase"),
    [
        (CoreAnswer(200, "success", None), "succeeded"),
        (CoreAnswer(200, "timeout", None), "unknown"),
        (CoreAnswer(200, "failed", "no"), "unknown"),
        (CoreAnswer(200, "safety_abort", None), "rejected"),
        (CoreAnswer(200, "unauthorized", None), "rejected"),
        (CoreAnswer(200, None, None), "unknown"),
        (CoreAnswer(500, "success", None), "unknown"),
        (CoreAnswer(404, None, None), "rejected"),
        (CoreAnswer(302, None, None), "unknown"),
    ],
)
def test_what_an_answer_says(answer: CoreAnswer, phase: str) -> None:
    assert judged(answer)[0] == phase


def test_the_reason_is_kept() -> None:
    facts = judged(CoreAnswer(200, "safety_abort", "the slide is moving"))[1]
    assert facts == {"core": "safety_abort", "reason": "the slide is moving"}
    assert judged(CoreAnswer(503, None, None))[1] == {"core": "HTTP 503"}

"""All checks together: told once, over once, unknown is neither, and one failing check takes nobody along."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analytics import coach_watch
from analytics.catalogue import Catalogue
from analytics.coach_log import SLOT_MS, CoachLog
from analytics.coach_sign import Sign
from analytics.coach_view import CoachView
from analytics.coach_watch import LAPSE_SLOTS, THOROUGH_SLOTS, CoachWatch
from analytics.records import FindingKind

from .coach_days import Days


def played(monkeypatch: pytest.MonkeyPatch, *plays: dict[int, float], thorough: bool = False) -> None:
    """Checks that give a sign of this strength by slots from the first look, and none at others."""

    def check(play: dict[int, float], kind: FindingKind):  # type: ignore[no-untyped-def]
        def one(view: CoachView) -> Iterator[Sign]:
            track = view.first("battery_soc")
            assert track is not None
            strength = play.get(view.now_ms // SLOT_MS)
            if strength is not None:
                yield Sign(kind=kind, track=track, strength=strength, span=view.last(1), value=1.0)

        return one

    kinds = (FindingKind.DUTY_GREW, FindingKind.WARMING)
    checks = tuple(check(play, kind) for play, kind in zip(plays, kinds, strict=False))
    monkeypatch.setattr(coach_watch, "PROMPT", () if thorough else checks)
    monkeypatch.setattr(coach_watch, "THOROUGH", checks if thorough else ())


@pytest.fixture
def watch(shipped_catalogue: Catalogue) -> CoachWatch:
    return CoachWatch(Days(2).log(shipped_catalogue), lambda times: times)


def told(watch: CoachWatch, slots: range) -> list[tuple[int, str, bool]]:
    return [(slot, str(finding.kind), finding.over) for slot in slots for finding in watch.look(end_slot=slot)]


FIRST = Days(2).slots + 1_790_000_000_000 // 86_400_000 * 288


def test_told_once_and_over_once(monkeypatch: pytest.MonkeyPatch, watch: CoachWatch) -> None:
    played(monkeypatch, {FIRST + at: strength for at, strength in enumerate((0.9, 1.1, 0.8, 1.3, 0.6, 0.8))})
    assert told(watch, range(FIRST, FIRST + 6)) == [(FIRST + 1, "duty_grew", False), (FIRST + 4, "duty_grew", True)]


def test_what_nobody_can_judge_is_not_over_and_lapses(monkeypatch: pytest.MonkeyPatch, watch: CoachWatch) -> None:
    later = FIRST + LAPSE_SLOTS + 10
    played(monkeypatch, {FIRST: 2.0, FIRST + 100: 2.0, later + 100: 2.0})
    assert told(watch, range(FIRST, later + 101, 50)) == [(FIRST, "duty_grew", False)]
    assert told(watch, range(later + 100, later + 101)) == [(later + 100, "duty_grew", False)]


def test_the_cause_is_told_instead_of_what_it_explains(monkeypatch: pytest.MonkeyPatch, watch: CoachWatch) -> None:
    played(monkeypatch, dict.fromkeys(range(FIRST, FIRST + 9), 2.0), {FIRST + 1: 2.0, FIRST + 2: 2.0, FIRST + 3: 0.1})
    assert told(watch, range(FIRST, FIRST + 5)) == [
        (FIRST, "duty_grew", False), (FIRST + 1, "warming", False), (FIRST + 1, "duty_grew", True),
        (FIRST + 3, "warming", True), (FIRST + 4, "duty_grew", False),
    ]  # fmt: skip


def test_without_a_new_slot_only_a_thorough_look_tells(monkeypatch: pytest.MonkeyPatch, watch: CoachWatch) -> None:
    played(monkeypatch, {FIRST: 2.0})
    assert len(watch.look()) == 1
    assert watch.look() == []
    assert [finding.kind for finding in watch.look(thorough=True)] == [FindingKind.DUTY_GREW]


def test_thorough_checks_are_made_every_hour(monkeypatch: pytest.MonkeyPatch, watch: CoachWatch) -> None:
    played(monkeypatch, {FIRST + at: 2.0 * (at > 0) for at in range(30)}, thorough=True)
    assert told(watch, range(FIRST, FIRST + 30)) == [(FIRST + THOROUGH_SLOTS, "duty_grew", False)]


def test_after_a_restart_what_was_told_can_end(monkeypatch: pytest.MonkeyPatch, watch: CoachWatch) -> None:
    played(monkeypatch, {FIRST: 0.1})
    watch.remember([(FindingKind.DUTY_GREW, "battery.house.soc")])
    (finding,) = watch.look()
    assert finding.over


def test_a_failing_check_is_named_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, watch: CoachWatch) -> None:
    played(monkeypatch, {FIRST: 2.0})

    def broken(view: CoachView) -> Iterator[Sign]:
        raise ZeroDivisionError("no")
        yield

    monkeypatch.setattr(coach_watch, "PROMPT", (broken, *coach_watch.PROMPT))
    assert len(watch.look()) == 1
    assert watch.failed == {"broken": "ZeroDivisionError: no"}


def test_an_empty_log_has_nothing_to_tell() -> None:
    assert CoachWatch(CoachLog(), lambda times: times).look(thorough=True) == []

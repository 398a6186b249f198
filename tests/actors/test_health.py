"""The health board."""

from __future__ import annotations

from actors.health import ActorHealth, HealthBoard
from actors.mailbox import Mailbox
from actors.messages import Pressure


def test_it_tells_what_it_was_told() -> None:
    board = HealthBoard(lambda: 1234)
    board.note_child("a", Mailbox("a", capacity=2, pressure=Pressure.BLOCK))
    board.note_child("b")
    board.note_state("b", "running")
    board.note_error("b", "ValueError: boom")
    board.note_restart("b")
    snapshot = board.snapshot()
    assert list(snapshot) == ["a", "b"]
    assert snapshot["a"].mailbox is not None
    assert snapshot["a"].mailbox.capacity == 2
    assert snapshot["b"] == ActorHealth("b", "running", 1, "ValueError: boom", 1234)


def test_degraded_is_running_with_a_reason() -> None:
    board = HealthBoard(lambda: 0)
    board.note_state("a", "running")
    board.degraded("a", "the disk is full")
    assert board.snapshot()["a"].state == "degraded"
    assert board.snapshot()["a"].degraded_reason == "the disk is full"
    board.recovered("a")
    assert board.snapshot()["a"] == ActorHealth("a", "running")


def test_an_actor_may_say_degraded_before_it_is_ready_and_starts_anew_without_a_reason() -> None:
    board = HealthBoard(lambda: 0)
    board.note_state("a", "starting")
    board.degraded("a", "no disk")
    assert board.snapshot()["a"].state == "starting"
    board.note_state("a", "running")
    assert board.snapshot()["a"].state == "degraded"
    board.note_state("a", "backing_off")
    assert board.snapshot()["a"].state == "backing_off"
    board.note_state("a", "starting")
    board.note_state("a", "running")
    assert board.snapshot()["a"].state == "running"


def test_a_change_is_told_once() -> None:
    heard: list[tuple[str, str, str | None]] = []
    board = HealthBoard(lambda: 0, lambda name, health: heard.append((name, health.state, health.degraded_reason)))
    board.note_state("a", "running")
    board.note_state("a", "running")
    board.degraded("a", "slow")
    board.degraded("a", "slow")
    board.recovered("a")
    board.recovered("a")
    assert heard == [("a", "running", None), ("a", "degraded", "slow"), ("a", "running", None)]

"""The mailboxes of the actors: made once by the composition root, so that they survive every restart."""

from __future__ import annotations

from msgspec import Struct, field

from actors.mailbox import Mailbox
from actors.messages import (
    InsightMessage,
    NotifierMessage,
    PatternMessage,
    PersisterMessage,
    Pressure,
    RecorderMessage,
)
from actors.persister import conflate


def _recorder() -> Mailbox[RecorderMessage]:
    return Mailbox("recorder", capacity=64, pressure=Pressure.BLOCK)


def _persister() -> Mailbox[PersisterMessage]:
    return Mailbox("persister", capacity=16, pressure=Pressure.CONFLATE, conflate=conflate)


def _insight_generator() -> Mailbox[InsightMessage]:
    return Mailbox("insight_generator", capacity=256, pressure=Pressure.DROP_OLDEST)


def _pattern_analyzer() -> Mailbox[PatternMessage]:
    return Mailbox("pattern_analyzer", capacity=1, pressure=Pressure.CONFLATE)


def _notifier() -> Mailbox[NotifierMessage]:
    return Mailbox("notifier", capacity=1024, pressure=Pressure.DROP_OLDEST)


class Mailboxes(Struct, frozen=True):
    """Each behaves under pressure as the table in actors/messages.py says."""

    recorder: Mailbox[RecorderMessage] = field(default_factory=_recorder)
    persister: Mailbox[PersisterMessage] = field(default_factory=_persister)
    insight_generator: Mailbox[InsightMessage] = field(default_factory=_insight_generator)
    pattern_analyzer: Mailbox[PatternMessage] = field(default_factory=_pattern_analyzer)
    notifier: Mailbox[NotifierMessage] = field(default_factory=_notifier)

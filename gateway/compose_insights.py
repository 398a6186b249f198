"""Builds the insight generator with what it works with: the part of the composition root that is about insights."""

from __future__ import annotations

import trio

from actors.clock import TrustedClock
from actors.coach_rounds import CoachRounds
from actors.insight_generator import InsightGenerator
from actors.mailbox import Mailbox
from actors.messages import NotifierMessage
from analytics.rules import Rules

from .backend import Backend


def insight_generator(
    backend: Backend,
    rules: Rules,
    *,
    clock: TrustedClock,
    notifier: Mailbox[NotifierMessage],
    limiter: trio.CapacityLimiter,
) -> InsightGenerator:
    return InsightGenerator(
        mailbox=backend.insight_mailbox,
        notifier=notifier,
        persister=backend.persist_mailbox,
        memory=backend.memory,
        book=backend.book,
        catalogue=backend.catalogue,
        rules=rules,
        coach=CoachRounds(
            memory=backend.memory,
            history=backend.history,
            catalogue=backend.catalogue,
            wall=backend.local_time.wall,
            limiter=limiter,
        ),
        progress=backend.progress,
        clock=clock,
        interval_s=backend.settings.insight_generation_interval_s,
        limiter=limiter,
    )

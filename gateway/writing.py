"""The way of an intake: into the recorder, summed up, and where asked for onto the disk.

Owns what every protocol of writing shares. Promises: a full recorder costs 250 ms and a 503 with Retry-After, and
nothing was taken then; who asks for `durable` is answered after the commit, or told that there is none.
"""

from __future__ import annotations

from typing import Any, Final

import trio
from msgspec import Struct, field
from quart import request

from actors.mailbox import Mailbox
from actors.messages import Flush, QuarantinedError, Record, Recorded, RecorderMessage
from actors.progress import NotPersisting

from . import schemas
from .backend import Backend
from .ingest import MAX_ERRORS, Intake, SampleError
from .problems import Problem

PUT_WITHIN_S: Final = 0.250
RECORDED_WITHIN_S: Final = 10.0
DURABLE_WITHIN_S: Final = 10.0


class Outcome(Struct):
    """The answer of a batch, summed up."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    capped: int = 0  # of the rejected: because of the cap on the number of metrics
    errors: list[SampleError] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "duplicates": self.duplicates,
            "errors": [error.as_json() for error in self.errors],
        }


def wants_durable(backend: Backend, query: schemas.metrics.WriteQuery) -> bool:
    prefer = ",".join(request.headers.getlist("Prefer"))
    wants = query.ack == "durable" or any(
        token.split(";")[0].split("=")[0].strip().lower() == "wait" for token in prefer.split(",")
    )
    if wants and backend.progress.state == "off":
        raise Problem(409, "Persistence is off: no sample can be made durable. Nothing was recorded.")
    return wants


async def record(backend: Backend, intake: Intake) -> Recorded:
    message = Record(intake.parts)
    try:
        sent = await _put(backend.record_mailbox, message)
    except trio.ClosedResourceError as error:
        raise Problem(503, "The service is shutting down", headers={"Retry-After": "5"}) from error
    if not sent:
        raise Problem(
            503,
            "The recorder does not keep up. Nothing was recorded: send it again",
            headers={"Retry-After": "1"},
        )
    with trio.move_on_after(RECORDED_WITHIN_S):
        try:
            return await message.reply.wait()
        except QuarantinedError as error:
            raise Problem(500, "The recorder failed three times on these samples and put them aside") from error
    raise Problem(
        503,
        f"The recorder did not answer within {RECORDED_WITHIN_S:g} s. The samples wait for it; sending them "
        "again is harmless",
        headers={"Retry-After": "5"},
    )


def summed_up(intake: Intake, recorded: Recorded) -> Outcome:
    outcome = Outcome(rejected=intake.rejected, errors=list(intake.errors))
    for part, origin, done in zip(intake.parts, intake.origins, recorded.parts, strict=True):
        outcome.accepted += done.accepted
        outcome.duplicates += done.duplicates
        if not done.full and not done.rejected:
            continue
        refused = len(part) - done.accepted - done.duplicates
        outcome.rejected += refused
        if done.full:
            outcome.capped += refused
        for at, reason in done.rejected[: MAX_ERRORS - len(outcome.errors)]:
            message = f"metric_name: {reason}" if done.full else reason
            outcome.errors.append(SampleError(int(origin[at]), message, part.name if intake.columns else None))
    series = {part.name: position for position, part in enumerate(intake.parts)} if intake.columns else {}
    outcome.errors.sort(key=lambda error: (series.get(error.series or "", -1), error.index or 0))
    return outcome


async def until_durable(backend: Backend, seq: int, outcome: Outcome) -> None:
    """Returns after the commit. Raises Problem 503: the samples are in memory, and not on disk yet."""
    why = f"not committed within {DURABLE_WITHIN_S:g} s"
    try:
        backend.persist_mailbox.put_nowait(Flush(now=True))
        with trio.move_on_after(DURABLE_WITHIN_S):
            await backend.progress.wait_for(seq)
            return
    except NotPersisting as error:
        why = f"persistence is {error.state}" + (f" ({error.reason})" if error.reason else "")
    except trio.ClosedResourceError:
        why = "the service is shutting down"
    raise Problem(
        503,
        f"The samples are in memory but not safe on disk: {why}. Sending them again is harmless",
        headers={"Retry-After": "10"},
        **outcome.as_json(),
    )


async def _put(mailbox: Mailbox[RecorderMessage], message: Record) -> bool:
    """False: there was no room within PUT_WITHIN_S."""
    try:
        mailbox.put_nowait(message)  # the wait for the reply gives way to others
    except trio.WouldBlock:
        with trio.move_on_after(PUT_WITHIN_S) as waiting:
            await mailbox.put(message)
        return not waiting.cancelled_caught
    return True

"""What the actors say to each other, and how every edge behaves when its receiver is slow.

| edge | message | when the receiver does not keep up |
|---|---|---|
| gateway -> recorder | Record | block 250 ms, then 503 with Retry-After: the only place that sheds load |
| core link -> recorder | Record | block; what is heard meanwhile waits within a bound, past it the oldest go, counted |
| recorder -> persister | Flush | conflate; the samples wait in the memory tier, whose window bounds the edge |
| recorder -> insight generator | Found | drop oldest, counted |
| gateway -> insight generator | Sweep | block (a person waits for the answer) |
| gateway -> persister | SwitchPersistence | block (a person waits for the answer) |
| gateway -> pattern analyzer | Analyze | conflate |
| insight generator -> persister, pattern analyzer -> persister | Flush | conflate |
| insight generator, pattern analyzer, persister -> notifier | InsightChanged and its like | drop oldest |
| recorder -> notifier | AlertChanged | drop oldest; the state itself is kept by the steward |
| hub -> client | see hub.py | coalesce, `gap`, close when far behind |

`EDGES` is the same table for the machine; a test proves that the blocking edges have no cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Final, Generic, TypeVar

import trio
from msgspec import Struct, field
from msgspec.structs import replace

from analytics.records import Finding, Insight, Pattern
from analytics.threshold import AlertEvent
from storage.models import Appended, SeriesPart

T = TypeVar("T")


class Reply(Generic[T]):
    """A one-shot answer. Filled at most once; survives the crash of who should fill it, since the message does."""

    __slots__ = ("_error", "_event", "_value")

    def __init__(self) -> None:
        self._event = trio.Event()
        self._value: T | None = None
        self._error: Exception | None = None

    def set(self, value: T) -> None:
        """Answer. A second answer (a message handled again after a crash) is ignored."""
        if not self._event.is_set():
            self._value = value
            self._event.set()

    def fail(self, error: Exception) -> None:
        if not self._event.is_set():
            self._error = error
            self._event.set()

    @property
    def is_answered(self) -> bool:
        return self._event.is_set()

    @property
    def value(self) -> T | None:
        return self._value

    @property
    def error(self) -> Exception | None:
        return self._error

    async def wait(self) -> T:
        """The answer. Raises what `fail` was given. Callers bring the deadline."""
        await self._event.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set() stored a T


class QuarantinedError(Exception):
    """The message was tried three times, crashed its handler each time, and was put aside."""


class Recorded(Struct, frozen=True):
    """The recorder's answer: one Appended per part, in order; `seq` is what a durable acknowledgement waits for."""

    seq: int
    parts: tuple[Appended, ...]


class Record(Struct, frozen=True):
    parts: tuple[SeriesPart, ...]
    reply: Reply[Recorded] = field(default_factory=Reply)

    def split(self) -> tuple[Record, Record] | None:
        """Two halves, by parts or (of a single part) by samples; None: it is one sample.

        When both halves are answered, so is this one: results in order, with the later `seq`. A half that failed
        (quarantined) counts as samples rejected one by one; only when both failed does this one fail.
        """
        if len(self.parts) > 1:
            middle = len(self.parts) // 2
            halves = (self.parts[:middle], self.parts[middle:])
        elif self.parts and len(self.parts[0]) > 1:
            part = self.parts[0]
            middle = len(part) // 2
            halves = (
                (replace(part, times=part.times[:middle], values=part.values[:middle]),),
                (replace(part, times=part.times[middle:], values=part.values[middle:]),),
            )
        else:
            return None
        left, right = _HalfReply(), _HalfReply()
        answer = partial(_answer_whole, self, halves, left, right)
        left.on_answer = right.on_answer = answer
        return Record(halves[0], left), Record(halves[1], right)


class _HalfReply(Reply[Recorded]):
    """The reply of one half of a Record; `on_answer` looks whether both are there."""

    __slots__ = ("on_answer",)

    def __init__(self) -> None:
        super().__init__()
        self.on_answer: Callable[[], None] | None = None

    def set(self, value: Recorded) -> None:
        super().set(value)
        self._tell()

    def fail(self, error: Exception) -> None:
        super().fail(error)
        self._tell()

    def _tell(self) -> None:
        if self.on_answer is not None:
            self.on_answer()


def _answer_whole(
    whole: Record, halves: tuple[tuple[SeriesPart, ...], ...], left: _HalfReply, right: _HalfReply
) -> None:
    if not (left.is_answered and right.is_answered):
        return
    if left.error is not None and right.error is not None:
        whole.reply.fail(left.error)
        return
    results = [
        _rejected(parts, reply.error) if reply.value is None else reply.value
        for parts, reply in zip(halves, (left, right), strict=True)
    ]
    done = (*results[0].parts, *results[1].parts)
    if len(whole.parts) == 1:
        done = (_joined(done[0], done[1], len(halves[0][0])),)
    whole.reply.set(Recorded(max(result.seq for result in results), done))


def _rejected(parts: tuple[SeriesPart, ...], error: Exception | None) -> Recorded:
    """What the recorder would say of samples that it refused. Sequence 0: there is nothing to wait for."""
    reason = f"not processed: {error}"
    return Recorded(0, tuple(Appended(0, 0, tuple((i, reason) for i in range(len(part)))) for part in parts))


def _joined(left: Appended, right: Appended, offset: int) -> Appended:
    """The result of one part whose samples were taken in two halves; `right` begins at `offset`."""
    return Appended(
        accepted=left.accepted + right.accepted,
        duplicates=left.duplicates + right.duplicates,
        rejected=left.rejected + tuple((index + offset, reason) for index, reason in right.rejected),
        full=left.full or right.full,
    )


class Flush(Struct, frozen=True):
    """There is something to persist. `now`: do not wait for the flush interval (somebody waits for ack=durable)."""

    now: bool = False


class SwitchPersistence(Struct, frozen=True):
    enabled: bool
    reply: Reply[None] = field(default_factory=Reply)


class Found(Struct, frozen=True):
    findings: tuple[Finding, ...]


class Sweep(Struct, frozen=True):
    reply: Reply[tuple[Insight, ...]] = field(default_factory=Reply)


class Analyze(Struct, frozen=True):
    pass


class InsightChanged(Struct, frozen=True):
    insight: Insight
    is_new: bool
    is_news: bool = False  # people are to be called for it (dashboards hear of every change)


class PatternFound(Struct, frozen=True):
    pattern: Pattern


class StatusChanged(Struct, frozen=True):
    part: str  # "persistence", "actors"
    state: str
    reason: str | None


class AlertChanged(Struct, frozen=True):
    event: AlertEvent


RecorderMessage = Record
PersisterMessage = Flush | SwitchPersistence
InsightMessage = Found | Sweep
PatternMessage = Analyze
NotifierMessage = InsightChanged | PatternFound | StatusChanged | AlertChanged


class Pressure(Enum):
    BLOCK = "block"
    CONFLATE = "conflate"
    DROP_OLDEST = "drop oldest"


EDGES: Final[tuple[tuple[str, str, Pressure], ...]] = (
    ("gateway", "recorder", Pressure.BLOCK),
    ("core_link", "recorder", Pressure.BLOCK),
    ("gateway", "insight_generator", Pressure.BLOCK),
    ("gateway", "persister", Pressure.BLOCK),
    ("gateway", "pattern_analyzer", Pressure.CONFLATE),
    ("recorder", "persister", Pressure.CONFLATE),
    ("recorder", "insight_generator", Pressure.DROP_OLDEST),
    ("recorder", "notifier", Pressure.DROP_OLDEST),
    ("insight_generator", "persister", Pressure.CONFLATE),
    ("pattern_analyzer", "persister", Pressure.CONFLATE),
    ("insight_generator", "notifier", Pressure.DROP_OLDEST),
    ("pattern_analyzer", "notifier", Pressure.DROP_OLDEST),
    ("persister", "notifier", Pressure.DROP_OLDEST),
)

"""The cold tier's protocol: what an archive promises, and how it fails.

An archive keeps samples, insights and patterns across a power cut. One implementation is SQLite
(`sqlite_archive.py`). `tests/storage/archive_suite.py` is the behaviour every implementation must show.

Promises
- A method that returns has done its work; one that raises `ArchiveError` has done nothing.
- Values come back bit for bit, times to the millisecond, until they are thinned to keep the budget.
- `append` is one transaction and durable on return. A sample with the time of a stored one replaces it, so that
  appending twice is harmless.
- Reads see every append that returned before they began. They do not hold up `append`.
- Cancelling any method leaves the archive usable. `aclose` is safe to call twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from analytics.records import Insight, Pattern

from .models import ArchiveStatus, Buckets, SeriesPart, Window

if TYPE_CHECKING:
    from .usage import ArchiveUse

Trouble = Literal["busy", "full", "unavailable", "corrupt", "replaced", "foreign", "newer", "closed"]


class ArchiveError(Exception):
    """Expected trouble with the disk: keep what you have, say so, try again. `str()` is a sentence for people."""

    def __init__(self, trouble: Trouble, reason: str) -> None:
        super().__init__(reason)
        self.trouble = trouble
        self.reason = reason


class PoisonError(Exception):
    """The archive can never take this very content, whatever the state of the disk."""


class Archive(Protocol):
    """See the module docstring for the promises. All times are unix milliseconds; spans are [start, end)."""

    async def append(
        self,
        parts: Sequence[SeriesPart],
        insights: Sequence[Insight] = (),
        patterns: Sequence[Pattern] = (),
    ) -> None:
        """Store all of it in one transaction. Raises ArchiveError, PoisonError."""
        ...

    async def names(self) -> list[str]:
        """Every metric with at least one stored sample, sorted."""
        ...

    async def metadata(self) -> Mapping[str, str]:
        """The latest metadata that came with each metric, metrics without any left out."""
        ...

    async def window(
        self, names: Sequence[str], start_ms: int, end_ms: int, limit: int | None = None
    ) -> Mapping[str, Window]:
        """Samples as stored, names without any left out; with `limit`: the newest `limit` of each name."""
        ...

    async def bound(self, name: str, start_ms: int, end_ms: int, samples: int) -> int:
        """A time in (start_ms, end_ms] up to which about so many samples of the metric lie, and rarely many more:
        for those who read on in pieces of a size. `end_ms`: there may be fewer. Quick: nothing is unpacked."""
        ...

    async def buckets(self, names: Sequence[str], start_ms: int, end_ms: int, step_ms: int) -> Mapping[str, Buckets]:
        """The same samples summed up, in constant memory; names without any left out."""
        ...

    async def thinned(self, name: str, start_ms: int, end_ms: int) -> Sequence[tuple[int, int]]:
        """The spans in [start_ms, end_ms) of which only buckets are left: in order, none touching another."""
        ...

    async def insights(self, since_ms: int, limit: int) -> list[Insight]:
        """The newest insights updated at or after `since_ms`, newest first."""
        ...

    async def patterns(self, since_ms: int, limit: int) -> list[Pattern]:
        """The newest patterns, newest first."""
        ...

    async def compact(self, at_least: int) -> int:
        """One step of packing, in the background of everything else: what was appended, once it is `at_least` samples,
        then whatever else can be packed better. Changes nothing that a reader sees. Returns how many samples were
        packed; 0: nothing is left to do."""
        ...

    async def thin(self) -> int:
        """One step towards the budget: what waits to be packed is, when it takes much; old samples become buckets, the
        oldest buckets go. Returns how many samples it concerned; 0: there is room."""
        ...

    async def purge(self, samples_before_ms: int, insights_before_ms: int, batch: int) -> int:
        """Delete at most about `batch` rows older than the bounds; returns how many went. 0: nothing is left to do.
        No older sample is shown afterwards; a chunk leaves the file when the last of its samples is old enough."""
        ...

    async def usage(self) -> ArchiveUse:
        """What lies in it, metric by metric. Takes a moment: for people, not for every status."""
        ...

    async def status(self) -> ArchiveStatus: ...

    async def aclose(self) -> None: ...

"""Storing around poison: content that an archive can never take is bisected out, so that its neighbours are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from analytics.records import Insight, Pattern
from storage.archive import Archive, PoisonError
from storage.models import SeriesPart

Storable = SeriesPart | Insight | Pattern


async def append_around(
    archive: Archive, items: Sequence[Storable], put_aside: Callable[[Storable, PoisonError], None]
) -> None:
    """Store `items` in one transaction; on poison, its halves, down to single samples and records.

    `put_aside` hears of each that can't be stored. Raises ArchiveError; what was stored before it stays stored, which
    is harmless, since appending twice is.
    """
    try:
        await archive.append(
            [item for item in items if isinstance(item, SeriesPart)],
            [item for item in items if isinstance(item, Insight)],
            [item for item in items if isinstance(item, Pattern)],
        )
    except PoisonError as error:
        halves = _halves(items)
        for half in halves:
            await append_around(archive, half, put_aside)
        if not halves:
            put_aside(items[0], error)


def label(item: Storable) -> str:
    """What a log calls it."""
    match item:
        case SeriesPart(name):
            return f"sample of {name!r}"
        case Insight():
            return f"insight {item.key!r}"
        case Pattern():
            return f"pattern {item.pattern_id!r}"
        case _:
            assert_never(item)


def _halves(items: Sequence[Storable]) -> tuple[Sequence[Storable], ...]:
    """Two halves, or nothing when there is one thing only and it can't be split."""
    if len(items) > 1:
        middle = len(items) // 2
        return items[:middle], items[middle:]
    item = items[0]
    if isinstance(item, SeriesPart) and len(item) > 1:
        middle = len(item) // 2
        return (
            [SeriesPart(item.name, item.times[:middle], item.values[:middle], item.metadata)],
            [SeriesPart(item.name, item.times[middle:], item.values[middle:], item.metadata)],
        )
    return ()

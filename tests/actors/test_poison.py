"""Storing around poison: only the poison itself is put aside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.poison import Storable, append_around, label
from storage.archive import ArchiveError, PoisonError
from storage.models import SeriesPart
from tests.fakes.memory_archive import MemoryArchive


def part(name: str, *values: float) -> SeriesPart:
    return SeriesPart(name, np.arange(len(values), dtype=np.int64), np.array(values, dtype=np.float64))


class Picky(MemoryArchive):
    """Takes no negative numbers."""

    async def append(self, parts, insights=(), patterns=()) -> None:
        if any((each.values < 0).any() for each in parts):
            raise PoisonError("negative")
        await super().append(parts, insights, patterns)


async def store(archive: MemoryArchive, *parts: SeriesPart) -> list[str]:
    """Returns what was put aside."""
    aside: list[str] = []

    def put_aside(item: Storable, error: PoisonError) -> None:
        assert isinstance(item, SeriesPart)
        aside.append(f"{label(item)} {item.values.tolist()}")

    await append_around(archive, parts, put_aside)
    return aside


async def test_without_poison_it_is_one_transaction():
    archive = Picky()
    assert await store(archive, part("a", 1, 2), part("b", 3)) == []
    assert archive.appends == 1


async def test_one_sample_is_put_aside_and_its_neighbours_are_kept():
    archive = Picky()
    assert await store(archive, part("a", 1, -2, 3), part("b", 4)) == ["sample of 'a' [-2.0]"]
    assert archive.samples == {"a": {0: 1.0, 2: 3.0}, "b": {0: 4.0}}


async def test_trouble_with_the_disk_is_no_poison():
    archive = Picky()
    archive.trouble = ArchiveError("full", "the disk is full")
    with pytest.raises(ArchiveError, match="full"):
        await store(archive, part("a", 1))


@given(st.lists(st.lists(st.sampled_from([1.0, 2.0, -1.0]), min_size=1, max_size=6), min_size=1, max_size=4))
async def test_exactly_the_poison_is_put_aside(rows):
    archive = Picky()
    aside = await store(archive, *(part(f"m{number}", *values) for number, values in enumerate(rows)))
    kept = sorted(value for samples in archive.samples.values() for value in samples.values())
    assert kept == sorted(value for values in rows for value in values if value > 0)
    assert len(aside) == sum(value < 0 for values in rows for value in values)

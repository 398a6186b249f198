"""Columns and blocks: merged, cut and packed without losing a sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.block import PIECE_SAMPLES, Block, Columns, joined, merged, pieces


def columns(samples: dict[int, float], seq: int = 1) -> Columns:
    times = sorted(samples)
    return Columns(
        np.array(times, dtype=np.int64),
        np.array([samples[time] for time in times], dtype=np.float64),
        np.full(len(times), seq, dtype=np.int64),
    )


SAMPLES = st.dictionaries(st.integers(0, 60), st.floats(-9, 9), max_size=40)


@given(SAMPLES, SAMPLES)
def test_merged_is_the_union_and_the_new_one_wins(old: dict[int, float], new: dict[int, float]) -> None:
    both = merged(columns(old, 1), columns(new, 2))
    assert dict(zip(both.times.tolist(), both.values.tolist(), strict=True)) == old | new
    assert both.times.tolist() == sorted(old | new)
    assert all((seq == 2) == (time in new) for time, seq in zip(both.times.tolist(), both.seqs.tolist(), strict=True))


@pytest.mark.parametrize("size", [1, PIECE_SAMPLES, PIECE_SAMPLES + 1, 3 * PIECE_SAMPLES + 5])
def test_pieces_fit_and_are_all_of_it(size: int) -> None:
    whole = columns({time: float(time) for time in range(size)})
    cut = pieces(whole)
    assert max(len(piece.times) for piece in cut) <= PIECE_SAMPLES
    assert max(len(piece.times) for piece in cut) - min(len(piece.times) for piece in cut) <= 1
    assert joined(cut).times.tolist() == whole.times.tolist()


def test_a_packed_block_is_the_same_and_smaller() -> None:
    whole = columns({time * 1_000: 12.8 for time in range(512)}, seq=9)
    block = Block(whole)
    before = block.bytes
    freed = block.pack()
    assert freed == before - block.bytes > 10_000
    assert block.pack() == 0
    assert (block.first_ms, block.last_ms, block.count, block.min_seq, block.max_seq) == (0, 511_000, 512, 9, 9)
    for packed, plain in zip(block.columns, whole, strict=True):
        assert packed.tobytes() == plain.tobytes()
        assert not packed.flags.writeable


def test_what_does_not_get_smaller_stays_as_it_is() -> None:
    rng = np.random.default_rng(1)
    block = Block(
        Columns(
            np.cumsum(rng.integers(1, 2**55, 20)),
            rng.integers(0, 2**62, 20).view(np.float64),
            rng.integers(0, 2**62, 20),
        )
    )
    before = block.bytes
    block.pack()
    assert block.bytes <= before


def test_a_block_let_go_holds_no_memory() -> None:
    block = Block(columns({1: 1.0}))
    block.let_go()
    assert block.gone
    assert block.pack() == 0

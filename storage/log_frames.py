"""SQLite's write-ahead log, read without SQLite: which pages its committed frames hold.

Format: https://www.sqlite.org/fileformat2.html#walformat. Promises: frames count up to the last commit before the first
one that does not add up, exactly as SQLite itself recovers.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
_LITTLE: Final = 0x377F0682  # checksums over little-endian words; one more: big-endian
_MASK: Final = 0xFFFFFFFF


class LogFrames(Struct, frozen=True):
    """`pages`: page number -> where in the log its newest committed content begins."""

    page_bytes: int
    pages: dict[int, int] = field(default_factory=dict)
    page_count: int = 0  # of the database after the last commit; 0: nothing was committed


def read_frames(log: bytes) -> LogFrames | None:
    """None: no log, or its header does not add up."""
    if len(log) < HEADER_BYTES:
        return None
    magic, _, page_bytes, _, salt_1, salt_2, sum_1, sum_2 = struct.unpack(">8I", log[:HEADER_BYTES])
    if magic & ~1 != _LITTLE or not is_page_size(page_bytes):
        return None
    order = ">" if magic & 1 else "<"
    sums = _checksum(struct.unpack(f"{order}6I", log[:24]), (0, 0))
    if sums != (sum_1, sum_2):
        return None
    pages: dict[int, int] = {}
    count, pending = 0, dict[int, int]()
    words = struct.Struct(f"{order}{page_bytes // 4}I")
    for at in range(HEADER_BYTES, len(log) - FRAME_HEADER_BYTES - page_bytes + 1, FRAME_HEADER_BYTES + page_bytes):
        number, size, *rest = struct.unpack_from(">6I", log, at)
        sums = _checksum(struct.unpack_from(f"{order}2I", log, at), sums)
        sums = _checksum(words.unpack_from(log, at + FRAME_HEADER_BYTES), sums)
        if rest != [salt_1, salt_2, *sums] or not number:
            break
        pending[number] = at + FRAME_HEADER_BYTES
        if size:  # the last frame of a transaction
            pages.update(pending)
            pending.clear()
            count = size
    return LogFrames(page_bytes, {number: at for number, at in pages.items() if number <= count}, count)


def is_page_size(number: int) -> bool:
    return 512 <= number <= 65536 and number & (number - 1) == 0


def _checksum(words: Sequence[int], sums: tuple[int, int]) -> tuple[int, int]:
    one, two = sums
    for index in range(0, len(words), 2):
        one = (one + words[index] + two) & _MASK
        two = (two + words[index + 1] + one) & _MASK
    return one, two

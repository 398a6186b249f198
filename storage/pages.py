"""Pages of a database file that SQLite may refuse to read: trees walked by hand, and rows taken out of single pages.

Format: https://www.sqlite.org/fileformat2.html. Promises: whatever the bytes are, reading ends and raises nothing
but OSError; what does not add up is counted and left out; nothing is written. The file's write-ahead log is laid
over it as SQLite would do it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Final

from msgspec import Struct

from .log_frames import LogFrames, is_page_size, read_frames

Cell = int | float | str | bytes | None
Record = tuple[Cell, ...]

PAGE_SIZES: Final = (1024, 4096, 512, 2048, 8192, 16384, 32768, 65536)  # the likeliest first
_LOOK_AT_BYTES: Final = 4 << 20  # of a file without a header, to find out how large its pages are
MAX_COLUMNS: Final = 100
_INDEX_INTERIOR, _TABLE_INTERIOR, _INDEX_LEAF, _TABLE_LEAF = 0x02, 0x05, 0x0A, 0x0D
_LEAVES: Final = (_INDEX_LEAF, _TABLE_LEAF)
_KINDS: Final = (_INDEX_INTERIOR, _TABLE_INTERIOR, *_LEAVES)
_REAL: Final = struct.Struct(">d")
_INTEGER_BYTES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


class Row(Struct, frozen=True):
    """`record` in the order it is stored in; `rowid` of a table that has one."""

    record: Record
    rowid: int | None


class _Damaged(Exception):
    """These bytes are not what they should be."""


class Pages:
    """Use with `with`. Pages are numbered from 1. `damaged`: pages and rows met so far that do not add up."""

    def __init__(self, path: Path, *, with_log: bool = True) -> None:
        self._file = path.open("rb")
        self._log = b""
        if with_log:
            log_path = path.with_name(path.name + "-wal")
            self._log = log_path.read_bytes() if log_path.exists() else b""
        frames = read_frames(self._log)
        self.has_log = frames is not None and frames.page_count > 0
        header = self._file.read(100)
        size = int.from_bytes(header[16:18], "big")
        size = 65536 if size == 1 else size
        if not header.startswith(b"SQLite format 3\x00") or not is_page_size(size):
            size = frames.page_bytes if frames is not None else self._guessed_size()
            self.has_header = False
        else:
            self.has_header = True
        self.page_bytes = size
        reserved = header[20] if self.has_header and header[20] <= 32 else 0
        self._usable = size - reserved
        self._frames = frames if frames is not None and frames.page_bytes == size else LogFrames(size)
        self._in_file = self._file.seek(0, 2) // size
        self.count = self._frames.page_count or self._in_file
        self.seen: set[int] = set()  # pages some walk has come across
        self.damaged = 0

    def __enter__(self) -> Pages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def page(self, number: int) -> bytes:
        """Raises _Damaged when there is none."""
        if not 1 <= number <= self.count:
            raise _Damaged
        if (at := self._frames.pages.get(number)) is not None:
            return self._log[at : at + self.page_bytes]
        self._file.seek((number - 1) * self.page_bytes)
        content = self._file.read(self.page_bytes)
        if len(content) < self.page_bytes:
            raise _Damaged
        return content

    def walk(self, root: int) -> Iterator[Row]:
        """Every row of the tree with this root that can be reached."""
        ahead = [root]
        while ahead:
            number = ahead.pop()
            if number in self.seen:  # a page has one parent: the other pointer is wrong
                self.damaged += 1
                continue
            self.seen.add(number)
            try:
                page = self.page(number)
                children, cells = self._parse(page, number)
            except _Damaged:
                self.damaged += 1
                continue
            ahead.extend(reversed(children))
            yield from self._rows(page, cells, strict=True)

    def orphans(self) -> Iterator[tuple[int, list[Row]]]:
        """Rows in pages that no walk has come across and that are not free: page by page, whole ones only."""
        free = self._free()
        for number in range(1, self.count + 1):
            if number in self.seen or number in free:
                continue
            try:
                page = self.page(number)
                _, cells = self._parse(page, number)
                rows = list(self._rows(page, cells, strict=False))
            except _Damaged:
                continue
            if rows:
                yield number, rows

    def _guessed_size(self) -> int:
        """With the right size the most places look like a page of a tree."""
        self._file.seek(0)
        content = self._file.read(_LOOK_AT_BYTES)
        return max(PAGE_SIZES, key=lambda size: sum(map(_is_node, _cut(content, size))))

    def _free(self) -> set[int]:
        """Pages on the freelist, as far as it can be followed. Their rows were deleted."""
        free: set[int] = set()
        try:
            header = self.page(1)
        except _Damaged:
            return free
        trunk = int.from_bytes(header[32:36], "big") if header.startswith(b"SQLite format 3\x00") else 0
        while trunk and trunk not in free:
            free.add(trunk)
            try:
                page = self.page(trunk)
            except _Damaged:
                break
            trunk, leaves = struct.unpack_from(">2I", page)
            if leaves > self.page_bytes // 4 - 2:
                break
            free.update(struct.unpack_from(f">{leaves}I", page, 8))
        return free

    def _parse(self, page: bytes, number: int) -> tuple[list[int], list[int]]:
        """Child pages, left to right, and where the cells begin."""
        at = 100 if number == 1 else 0
        kind = page[at]
        if kind not in _KINDS:
            raise _Damaged
        count = int.from_bytes(page[at + 3 : at + 5], "big")
        first = at + (8 if kind in _LEAVES else 12)
        if first + 2 * count > self._usable:
            raise _Damaged
        cells = list(struct.unpack_from(f">{count}H", page, first))
        if any(not first + 2 * count <= cell < self._usable for cell in cells):
            raise _Damaged
        children: list[int] = []
        if kind not in _LEAVES:
            children = [int.from_bytes(page[cell : cell + 4], "big") for cell in cells]
            children.append(int.from_bytes(page[at + 8 : at + 12], "big"))
        return children, cells

    def _rows(self, page: bytes, cells: list[int], *, strict: bool) -> Iterator[Row]:
        """`strict`: a row that does not add up is counted and left out; else it spoils the page."""
        kind = page[0] if page[0] in _KINDS else page[100]
        if kind == _TABLE_INTERIOR:
            return
        for cell in cells:
            try:
                yield self._row(page, cell, kind)
            except (_Damaged, IndexError, struct.error, UnicodeError) as error:
                if not strict:
                    raise _Damaged from error
                self.damaged += 1

    def _row(self, page: bytes, at: int, kind: int) -> Row:
        at += 4 if kind == _INDEX_INTERIOR else 0
        size, at = _varint(page, at)
        rowid: int | None = None
        if kind == _TABLE_LEAF:
            rowid, at = _varint(page, at)
            rowid -= (rowid >> 63) << 64
        return Row(_record(self._payload(page, at, size, kind)), rowid)

    def _payload(self, page: bytes, at: int, size: int, kind: int) -> bytes:
        usable = self._usable
        most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        if size <= most:
            if at + size > usable:
                raise _Damaged
            return page[at : at + size]
        if size > self.count * self.page_bytes:
            raise _Damaged
        least = (usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (usable - 4)
        local = local if local <= most else least
        if at + local + 4 > usable:
            raise _Damaged
        parts, left = [page[at : at + local]], size - local
        number = int.from_bytes(page[at + local : at + local + 4], "big")
        visited: set[int] = set()
        while left > 0:
            if number in visited:
                raise _Damaged
            visited.add(number)
            content = self.page(number)
            part = content[4 : 4 + min(left, usable - 4)]
            parts.append(part)
            left -= len(part)
            number = int.from_bytes(content[:4], "big")
        self.seen |= visited
        return b"".join(parts)


def _cut(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(size, len(content) - size + 1, size))


def _is_node(page: bytes) -> bool:
    """Header and cell pointers of a page other than the first add up."""
    kind, _, count, content, _ = struct.unpack_from(">BHHHB", page)
    first = 8 if kind in _LEAVES else 12
    content = content or 65536
    if kind not in _KINDS or not count or not first + 2 * count <= content <= len(page):
        return False
    return all(content <= cell < len(page) for cell in struct.unpack_from(f">{count}H", page, first))


def _record(payload: bytes) -> Record:
    header_end, at = _varint(payload, 0)
    if not 1 <= header_end <= len(payload):
        raise _Damaged
    kinds = _kinds(payload[at:header_end])
    at = header_end
    values: list[Cell] = []
    for kind in kinds:
        if kind == 7:
            values.append(_REAL.unpack_from(payload, at)[0])
            at += 8
        elif kind >= 12:
            end = at + (kind - 12) // 2
            content = payload[at:end]
            values.append(content.decode() if kind % 2 else content)
            at = end
        elif kind in _INTEGER_BYTES:
            end = at + _INTEGER_BYTES[kind]
            values.append(int.from_bytes(payload[at:end], "big", signed=True))
            at = end
        elif kind == 0:
            values.append(None)
        else:
            values.append(kind - 8)
    if at != len(payload):
        raise _Damaged
    return tuple(values)


@lru_cache(maxsize=1024)
def _kinds(header: bytes) -> tuple[int, ...]:
    """The types of the columns; rows alike have the same header."""
    at, kinds = 0, list[int]()
    while at < len(header):
        kind, at = _varint(header, at)
        kinds.append(kind)
    if len(kinds) > MAX_COLUMNS or any(kind in (10, 11) for kind in kinds):
        raise _Damaged
    return tuple(kinds)


def _varint(content: bytes, at: int) -> tuple[int, int]:
    if (byte := content[at]) < 0x80:
        return byte, at + 1
    value = 0
    for index in range(9):
        byte = content[at + index]
        if index == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    raise _Damaged

"""What a power cut leaves of recorded writes: images of the files, cut anywhere, with unsynced writes lost, torn and
out of order.

A disk may write what was not synced in any order, in part, or not at all, sector by sector. What was synced before the
cut is there. A new file's name is safe with its first sync; a deleted one's absence when the directory is synced, which
SQLite does where it asks for it, and with the first sync of a new journal or log.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from .disk import Op

SECTOR: Final = 512
How = Literal["dropped", "kept", "reordered", "torn"]
EVERY_WAY: Final[tuple[How, ...]] = ("dropped", "kept", "reordered", "torn")


@dataclass(slots=True)
class _File:
    safe: bytes | None = None  # None: it does not exist
    pending: list[Op] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Image:
    """Files by name, and the marks that had been set before the cut."""

    files: dict[str, bytes]
    marks: Sequence[Any]
    cut: int
    how: How

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def images(
    ops: Sequence[Op], cuts: Sequence[int], ways: Sequence[How], seed: int, before: Mapping[str, bytes] = {}
) -> Iterator[Image]:
    """One image for each cut (a number of operations that were begun, rising) and way. Files are named by their last
    part; `before`: those that were there already, by path."""
    rng = random.Random(seed)
    files: dict[str, _File] = {path: _File(content) for path, content in before.items()}
    marks: list[Any] = []
    done = 0
    for cut in cuts:
        for op in ops[done:cut]:
            _advance(files, marks, op)
        done = cut
        for how in ways:
            found = {Path(path).name: _cut_off(file, how, rng) for path, file in files.items()}
            yield Image({name: kept for name, kept in found.items() if kept is not None}, tuple(marks), cut, how)


def _advance(files: dict[str, _File], marks: list[Any], op: Op) -> None:
    if op.kind == "mark":
        marks.append(op.mark)
        return
    file = files.setdefault(op.path, _File())
    if op.kind == "sync":
        if any(each.kind == "open" for each in file.pending) and op.path.endswith(("-wal", "-journal")):
            _sync_directory(files)
        for each in file.pending:
            file.safe = _apply(file.safe, each)
        file.pending = []
    elif op.kind == "delete" and op.size:
        file.safe, file.pending = None, []
    elif op.kind != "open" or _is_gone(file):
        file.pending.append(op)


def _is_gone(file: _File) -> bool:
    return file.pending[-1].kind == "delete" if file.pending else file.safe is None


def _sync_directory(files: dict[str, _File]) -> None:
    """What was deleted stays so; writes to a new file of that name are as unsafe as before."""
    for file in files.values():
        deleted = max((index for index, op in enumerate(file.pending) if op.kind == "delete"), default=-1)
        if deleted >= 0:
            file.safe, file.pending = None, file.pending[deleted + 1 :]


def _cut_off(file: _File, how: How, rng: random.Random) -> bytes | None:
    content = file.safe
    if how == "dropped":
        return content
    kept = file.pending
    if how == "torn" and kept:
        end = rng.randrange(len(kept))
        kept = [*kept[:end], _torn(kept[end], rng)]
    for op in kept:
        if how == "reordered" and rng.random() < 0.5:
            if op.kind == "delete":
                return content  # the name still leads to the old file, whatever a new one got
            continue
        content = _apply(content, op)
    return content


def _torn(op: Op, rng: random.Random) -> Op:
    """Some sectors of it: the first few, as most disks do."""
    if op.kind != "write":
        return op
    kept = rng.randint(0, len(op.data) // SECTOR) * SECTOR
    return Op("write", op.path, op.size, op.data[:kept])


def _apply(content: bytes | None, op: Op) -> bytes | None:
    if op.kind == "delete":
        return None
    content = content or b""
    if op.kind == "truncate":
        return content[: op.size].ljust(op.size, b"\0")
    if op.kind == "write" and op.data:
        return content[: op.size].ljust(op.size, b"\0") + op.data + content[op.size + len(op.data) :]
    return content

"""Who has the database open: whether another process does, asked without opening it.

SQLite's way of saying so: every connection to a database with a write-ahead log holds a read lock on one byte of its
-shm file for as long as it is open (https://www.sqlite.org/src/file/src/os_unix.c, UNIX_SHM_DMS). Locks of this very
process do not count.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from typing import Final

_HELD_BYTE: Final = 128  # UNIX_SHM_DMS: 120 bytes, then one for each of eight locks
_FLOCK: Final = struct.Struct("hhqqi4x")  # struct flock of Linux on 64 bits: type, whence, start, length, pid


def held_by(path: Path) -> int | None:
    """The id of another process that has the database at `path` open; None: nobody has. Raises OSError."""
    try:
        shared = os.open(path.with_name(path.name + "-shm"), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _HELD_BYTE, 1, 0)
        kind, *_, holder = _FLOCK.unpack(fcntl.fcntl(shared, fcntl.F_GETLK, asked))
    finally:
        os.close(shared)
    return None if kind == fcntl.F_UNLCK else int(holder)

"""A disk under SQLite that remembers what is done to it, and fails or dawdles when a test wants it to.

A shim over SQLite's own VFS (https://www.sqlite.org/vfs.html), put into the very library the sqlite3 module uses, by
ctypes: every file is opened by the real VFS, then the methods named below go through Python first. Locks and shared
memory go straight through. Only for Python builds whose sqlite3 module is linked against a shared or visible
libsqlite3; elsewhere `Disk.install` raises OSError and tests skip.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p, cast
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

IOERR_READ, IOERR_WRITE, IOERR_FSYNC, IOERR_TRUNCATE, IOERR_DELETE = (10 | n << 8 for n in (1, 3, 4, 6, 10))
CANTOPEN, FULL = 14, 13
Kind = Literal["open", "read", "write", "truncate", "sync", "delete"]
_CODES: Final[dict[Kind, int]] = {
    "open": CANTOPEN,
    "read": IOERR_READ,
    "write": IOERR_WRITE,
    "truncate": IOERR_TRUNCATE,
    "sync": IOERR_FSYNC,
    "delete": IOERR_DELETE,
}

_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_CLOSE = CFUNCTYPE(c_int, c_void_p)
_IO = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(Structure):
    _fields_ = [
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", _OPEN),
        ("xDelete", _DELETE),
        ("others", c_void_p * 16),
    ]


class _Methods(Structure):
    _fields_ = [
        ("iVersion", c_int),
        ("xClose", _CLOSE),
        ("xRead", _IO),
        ("xWrite", _IO),
        ("xTruncate", _TRUNCATE),
        ("xSync", _SYNC),
        ("others", c_void_p * 13),
    ]


@dataclass(frozen=True, slots=True)
class Op:
    """One thing done to a file, in order. `data` of a write; `size`: offset of a write, length after a truncate;
    of a delete: whether the directory was synced."""

    kind: Kind | Literal["mark"]
    path: str
    size: int = 0
    data: bytes = b""
    mark: Any = None


class Disk:
    """Use `with Disk.install(folder) as disk`. Only files below `folder` go through it."""

    _numbers = itertools.count()

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder.resolve())
        self.ops: list[Op] = []
        self.recording = False
        self.calls = 0
        self.fail_from: int | None = None  # the number of the first call that fails
        self.fail_calls = 1  # how many in a row
        self.fail_kinds: frozenset[Kind] = frozenset(_CODES)
        self.fail_code: int | None = None  # None: the I/O error of the kind of call
        self.delay_s = 0.0
        self.delay_of = ""  # files whose name begins so
        self.before: Callable[[Kind, str], None] = lambda kind, path: None
        self._lock = threading.Lock()
        self._paths: dict[int, str] = {}
        self._patched: dict[int, Any] = {}
        self._kept: list[Any] = []  # what C points to

    @classmethod
    @contextmanager
    def install(cls, folder: Path) -> Iterator[Disk]:
        """The default VFS of every connection opened inside. Raises OSError where sqlite3 can't be reached."""
        library = _library()
        disk = cls(folder)
        vfs = disk._make(library)
        if library.sqlite3_vfs_register(ctypes.byref(vfs), 1):
            raise OSError("sqlite3_vfs_register refuses")
        try:
            yield disk
        finally:
            library.sqlite3_vfs_unregister(ctypes.byref(vfs))
            _IMMORTAL.append(disk)  # a connection that is still open goes on calling it

    def mark(self, mark: Any) -> None:
        """Note in between that something happened: an acknowledgement."""
        with self._lock:
            self.ops.append(Op("mark", "", mark=mark))

    def _make(self, library: Any) -> _Vfs:
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        library.sqlite3_vfs_find.argtypes = [c_char_p]
        real = library.sqlite3_vfs_find(b"unix").contents
        vfs = _Vfs.from_buffer_copy(real)
        vfs.pNext = None
        vfs.zName = f"watched-{next(self._numbers)}".encode()
        real_open, real_delete = real.xOpen, real.xDelete

        def x_open(own: int, name: int | None, file: int, flags: int, out: int) -> int:
            path = ctypes.string_at(name).decode() if name else ""
            if not path.startswith(self.folder):
                return int(real_open(own, name, file, flags, out))
            if code := self._meet("open", path):
                cast(file, POINTER(c_void_p))[0] = None  # SQLite then does not close it
                return code
            code = int(real_open(own, name, file, flags, out))
            if code == 0:
                slot = cast(file, POINTER(c_void_p))
                self._paths[file] = path
                slot[0] = self._methods(slot[0])
                self._note(Op("open", path))
            return code

        def x_delete(own: int, name: bytes, sync: int) -> int:
            path = name.decode()
            if not path.startswith(self.folder):
                return int(real_delete(own, name, sync))
            if code := self._meet("delete", path):
                return code
            code = int(real_delete(own, name, sync))
            if code == 0:
                self._note(Op("delete", path, sync))
            return code

        vfs.xOpen, vfs.xDelete = _OPEN(x_open), _DELETE(x_delete)
        self._kept += [vfs, vfs.xOpen, vfs.xDelete]
        return vfs

    def _methods(self, address: int) -> int:
        """The methods at `address`, with ours in front."""
        if address not in self._patched:
            real = cast(address, POINTER(_Methods)).contents
            own = _Methods.from_buffer_copy(real)
            own.xClose = _CLOSE(self._closer(real.xClose))
            own.xRead = _IO(self._reader(real.xRead))
            own.xWrite = _IO(self._writer(real.xWrite))
            own.xTruncate = _TRUNCATE(self._truncater(real.xTruncate))
            own.xSync = _SYNC(self._syncer(real.xSync))
            self._patched[address] = own
        return ctypes.addressof(self._patched[address])

    def _closer(self, real: Any) -> Callable[[int], int]:
        def x_close(file: int) -> int:
            self._paths.pop(file, None)
            return int(real(file))

        return x_close

    def _reader(self, real: Any) -> Callable[[int, int, int, int], int]:
        def x_read(file: int, buffer: int, amount: int, offset: int) -> int:
            return self._meet("read", self._paths[file]) or int(real(file, buffer, amount, offset))

        return x_read

    def _writer(self, real: Any) -> Callable[[int, int, int, int], int]:
        def x_write(file: int, buffer: int, amount: int, offset: int) -> int:
            path = self._paths[file]
            if code := self._meet("write", path):
                return code
            code = int(real(file, buffer, amount, offset))
            if code == 0 and self.recording:
                self._note(Op("write", path, offset, ctypes.string_at(buffer, amount)))
            return code

        return x_write

    def _truncater(self, real: Any) -> Callable[[int, int], int]:
        def x_truncate(file: int, size: int) -> int:
            path = self._paths[file]
            if code := self._meet("truncate", path):
                return code
            code = int(real(file, size))
            if code == 0:
                self._note(Op("truncate", path, size))
            return code

        return x_truncate

    def _syncer(self, real: Any) -> Callable[[int, int], int]:
        def x_sync(file: int, flags: int) -> int:
            path = self._paths[file]
            if code := self._meet("sync", path):
                return code
            code = 0 if self.recording else int(real(file, flags))  # the record says what would be safe
            if code == 0:
                self._note(Op("sync", path))
            return code

        return x_sync

    def _meet(self, kind: Kind, path: str) -> int:
        """Before each call: what it is to fail with; 0: nothing."""
        self.before(kind, path)
        if self.delay_s and path.rpartition("/")[2].startswith(self.delay_of):
            time.sleep(self.delay_s)
        with self._lock:
            if kind not in self.fail_kinds:
                return 0
            self.calls += 1
            if self.fail_from is None or not self.fail_from <= self.calls < self.fail_from + self.fail_calls:
                return 0
        return _CODES[kind] if self.fail_code is None else self.fail_code

    def _note(self, op: Op) -> None:
        if self.recording:
            with self._lock:
                self.ops.append(op)


_IMMORTAL: Final[list[Disk]] = []


def _library() -> Any:
    """The library that the sqlite3 module itself calls."""
    for name in (getattr(_sqlite3, "__file__", None), None):
        library = ctypes.CDLL(name)
        if hasattr(library, "sqlite3_vfs_register"):
            return library
    raise OSError("libsqlite3 can't be reached through this build of Python")

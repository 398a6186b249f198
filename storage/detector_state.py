"""What the anomaly detectors have learned, in one file beside the database, so that a restart does not begin anew.

The file is small (some 3 kB a metric), replaced as a whole, and disposable: a crash loses what was learned since it was
last written, a damaged or foreign file is as good as none. Format: MAGIC, CRC-32 of the rest (4 bytes, big endian), the
rest being zlib-compressed MessagePack {metric: state}.
"""

from __future__ import annotations

import logging
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

LOG: Final = logging.getLogger(__name__)
MAGIC: Final = b"CIQDET1\n"
LARGEST_BYTES: Final = 256 << 20  # no honest file is so large


class DetectorState:
    """The file at `path`. Blocking: call it in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, states: Mapping[str, Any]) -> None:
        """Replace the file. Raises OSError; the old file is then still whole."""
        body = zlib.compress(msgspec.msgpack.encode(states), 1)
        scratch = self._path.with_name(self._path.name + ".new")
        with scratch.open("wb") as file:
            file.write(MAGIC + zlib.crc32(body).to_bytes(4, "big") + body)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._path)

    def load(self) -> dict[str, Any]:
        """The states, or nothing when there is no file that can be read."""
        try:
            if self._path.stat().st_size > LARGEST_BYTES:
                raise ValueError("too large")
            data = self._path.read_bytes()
            head = len(MAGIC) + 4
            if data[: len(MAGIC)] != MAGIC or zlib.crc32(data[head:]) != int.from_bytes(data[len(MAGIC) : head], "big"):
                raise ValueError("damaged, or of another version")
            return msgspec.msgpack.decode(zlib.decompress(data[head:]), type=dict[str, Any])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, zlib.error, msgspec.MsgspecError) as error:
            LOG.warning("%s cannot be used, the detectors learn anew: %s", self._path, error)
            return {}

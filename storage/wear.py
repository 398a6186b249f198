"""Wear: how many bytes this process has caused to be written to the device, as the kernel counts them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_IO: Final = Path("/proc/self/io")  # https://man7.org/linux/man-pages/man5/proc_pid_io.5.html


def written_bytes(source: Path = _IO) -> int | None:
    """Since the process began: every page of a file that was made dirty, the write-ahead log's included. None where
    the kernel does not say."""
    try:
        lines = source.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, number = line.partition(":")
        if name == "write_bytes" and number.strip().isdigit():
            return int(number)
    return None

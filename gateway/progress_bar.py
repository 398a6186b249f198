"""A progress bar on a terminal; elsewhere a line at every tenth, so that logs stay readable."""

from __future__ import annotations

from types import TracebackType
from typing import Final, TextIO

_WIDTH: Final = 32


class ProgressBar:
    """Shows how far `label` has come. Use with `with`; call it with a fraction 0..1."""

    def __init__(self, label: str, stream: TextIO) -> None:
        self._label = label
        self._stream = stream
        self._live = stream.isatty()
        self._shown = -1

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live and self._shown >= 0:
            self._stream.write("\n")
            self._stream.flush()

    def __call__(self, fraction: float) -> None:
        percent = int(100 * min(max(fraction, 0.0), 1.0))
        if not self._live:
            percent -= percent % 10
        if percent <= self._shown:
            return
        self._shown = percent
        if self._live:
            done = percent * _WIDTH // 100
            self._stream.write(f"\r{self._label} [{'#' * done}{'.' * (_WIDTH - done)}] {percent:3d} %")
        else:
            self._stream.write(f"{self._label} {percent} %\n")
        self._stream.flush()

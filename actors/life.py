"""One run of a child, from spawn to end, and what its end says; and a child through all its runs."""

from __future__ import annotations

from collections import deque
from typing import Final

import trio
from msgspec import Struct, field

from .child import ChildSpec, Restart
from .mailbox import RepeatedCrashError

ERROR_CHARS: Final = 500  # of an error's text in health


class Life(Struct, eq=False):
    """Serves the child as its task_status. The supervisor ends it; nobody starts it again."""

    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    settled: trio.Event = field(default_factory=trio.Event)  # ready, or over
    over: trio.Event = field(default_factory=trio.Event)  # ended, or told to end
    ended: trio.Event = field(default_factory=trio.Event)
    ready_s: float | None = None  # Trio time
    error: BaseException | None = None
    cause: str | None = None  # why it was told to end
    is_crash: bool = False  # and whether that counts as one

    def started(self, value: None = None) -> None:
        """What the child calls when it is ready."""
        if self.ready_s is not None:
            raise RuntimeError("task_status.started() was called twice")
        self.ready_s = trio.current_time()
        self.settled.set()

    def end(self, cause: str, *, is_crash: bool = False) -> None:
        """Cancel it; the first cause counts."""
        if not self.over.is_set():
            self.cause, self.is_crash = cause, is_crash
            self.scope.cancel(cause)
            self.settled.set()
            self.over.set()

    async def live(self, spec: ChildSpec) -> None:
        """The child's task: keeps whatever it raises in `error`, except when Trio itself shuts down."""
        await trio.lowlevel.checkpoint()
        try:
            with self.scope:
                await spec.run(task_status=self)
        except trio.Cancelled:
            raise
        except BaseException as error:
            self.error = error
        finally:
            self.settled.set()
            self.over.set()
            self.ended.set()

    def crash(self, spec: ChildSpec, *, is_leaving: bool) -> str | None:
        """What its end says against the child, as one line; None: nothing."""
        if self.cause is not None:
            return self.cause if self.is_crash else None
        if self.error is not None:
            return error_text(self.error)
        if spec.restart is Restart.PERMANENT and not is_leaving:
            return "ended without being asked to"
        return None

    @property
    def is_fatal(self) -> bool:
        """Is there anything in its error that is no Exception: KeyboardInterrupt, SystemExit and their
        like?"""
        if isinstance(self.error, BaseExceptionGroup):
            return self.error.split((Exception, trio.Cancelled))[1] is not None
        return self.error is not None and not isinstance(self.error, Exception)

    @property
    def is_repeated(self) -> bool:
        """Did it end over a message that had crashed it before, and over nothing else?"""
        if self.cause is not None:
            return False
        if isinstance(self.error, BaseExceptionGroup):
            return self.error.split(RepeatedCrashError)[1] is None
        return isinstance(self.error, RepeatedCrashError)


class Child(Struct, eq=False):
    """A child through all its lives."""

    spec: ChildSpec
    backoff_s: float
    before: tuple[Child, ...]
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)  # its keeper's
    kept: trio.Event = field(default_factory=trio.Event)  # its keeper has ended
    life: Life | None = None
    crashes: deque[float] = field(default_factory=deque)  # Trio times, of the last period only
    is_up: bool = False
    is_settled: bool = False  # was ready once, or is parked, or is done
    is_done: bool = False  # has finished and will not run again
    is_leaving: bool = False
    parked: trio.Event | None = None  # set it to try again now


def error_text(error: BaseException) -> str:
    """One line: the leaves of the error, without what cancelling adds."""
    if isinstance(error, BaseExceptionGroup):
        rest = error.split(trio.Cancelled)[1]
        leaves = [] if rest is None else [error_text(leaf) for leaf in rest.exceptions]
        return "; ".join(leaves)[:ERROR_CHARS] or "cancelled"
    return f"{type(error).__name__}: {error}"[:ERROR_CHARS]

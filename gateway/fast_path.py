"""The short way of a batch of samples: from the connection to the recorder and back, past ASGI and Quart.

A batch in order, posted plainly, is most of what this service receives; a task, contexts, signals and channels of its
own cost more than reading its samples. Promises: answers are those of the long way. Whatever is out of the
ordinary (a query but `ack`, `Prefer`, another type, a body to be checked, a caller who may not, the gate closed, a
durable answer while persistence is off) is declined. The probes /livez and /readyz go the same way, so that a busy
service does not look like a dead one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import trio

from .auth.access import Access
from .auth.places import PlaceError
from .backend import Backend
from .ingest import decode_batch
from .problems import DETAILS, PROBLEM_JSON, Problem
from .rest.metrics import BATCH_PATH, write_batch
from .rest.probes import LIVE, READY
from .shortcut import Answer, Head, Piece

LOG: Final = logging.getLogger(__name__)
_TARGET: Final = BATCH_PATH.encode()
_DURABLE: Final = _TARGET + b"?ack=durable"
_TARGETS: Final = frozenset({_TARGET, _TARGET + b"?ack=memory", _DURABLE})
_JSON: Final = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
_LONG_WAY: Final = frozenset({b"prefer", b"content-encoding", b"expect"})


class FastPath:
    """A Shortcut. `gate`: may batches be taken at all; `extra_fields`: on every answer, as the application's have."""

    def __init__(
        self, backend: Backend, *, gate: Callable[[], bool], extra_fields: Mapping[str, str], access: Access
    ) -> None:
        self._backend = backend
        self._access = access
        self._gate = gate
        extra = tuple((name.lower().encode(), value.encode()) for name, value in extra_fields.items())
        self._extra = extra
        self._probes: dict[bytes, tuple[Callable[[], bool], bytes]] = {
            b"/livez": (lambda: True, msgspec.json.encode(LIVE)),
            b"/readyz": (lambda: backend.ready, msgspec.json.encode(READY)),
        }
        self._ok = ((b"content-type", b"application/json"), *extra)

    def takes(self, head: Head) -> bool:
        if head.target in self._probes:
            return head.method == b"GET" and _LONG_WAY.isdisjoint(head.fields) and self._is_from_here(head)
        if head.target not in _TARGETS or head.method != b"POST" or not self._gate():
            return False
        if not _LONG_WAY.isdisjoint(head.fields):
            return False
        if head.fields.get(b"content-type", b"application/json").lower() not in _JSON:
            return False
        return self._access.account(head.fields, head.client, "ingest", "samples") is not None

    def _is_from_here(self, head: Head) -> bool:
        try:
            self._access.places.check(head.fields, head.client[0] if head.client else "")
        except PlaceError:
            return False
        return True

    async def answer(self, head: Head, body: Piece) -> Answer | None:
        probe = self._probes.get(head.target)
        if probe is not None:
            await trio.lowlevel.checkpoint()
            is_so, text = probe
            return Answer(200, self._ok, text) if is_so() else None
        durable = head.target == _DURABLE
        if durable and self._backend.progress.state == "off":
            return None
        intake = decode_batch(body, self._backend.wall_ms()) if body else None
        account = self._access.account(head.fields, head.client, "ingest", "samples")
        if intake is None or not intake.parts or account is None:
            return None
        self._access.limits.pay("samples", account, sum(map(len, intake.parts)))
        try:
            return Answer(200, self._ok, await write_batch(self._backend, intake, durable=durable))
        except Problem as problem:
            return self._refusal(problem)
        except Exception:
            LOG.exception("cannot record a batch")
            return self._refusal(Problem(500, DETAILS[500]))

    def _refusal(self, problem: Problem) -> Answer:
        more = ((name.lower().encode(), value.encode()) for name, value in problem.headers.items())
        fields = ((b"content-type", PROBLEM_JSON.encode()), *more, *self._extra)
        return Answer(problem.status, fields, problem.encoded(BATCH_PATH))

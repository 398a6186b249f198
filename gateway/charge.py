"""What a query costs its client: the points it is made of, on the account that Access keeps.

Paid when the points have been read, so before they are computed with or sent: who asks for much waits the longer
before the next question. An answer condensed from many points costs what was read for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized

from quart import request

from .backend import Backend


def charge(backend: Backend, series: Iterable[Sized]) -> None:
    """Take the points of all `series` off the account of whoever sent the present request."""
    backend.access.pay(request.scope, "points", sum(map(len, series)))

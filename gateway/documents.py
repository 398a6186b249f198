"""Documents over HTTP: ETag and If-Match around the control store's revisions, and its troubles as problems.

A change names the state it rests on: PUT of something that exists needs If-Match (428 without it), and a state that is
no longer the present one is refused (412), so that one browser tab never overwrites what another has just saved.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any, Final, TypeVar

from quart import Response, request

from storage.archive import ArchiveError, PoisonError
from storage.control_documents import Document, Expected, StaleError, TooManyError, document, put_document

from .backend import Backend
from .problems import Problem
from .routes import json_response
from .user import user

T = TypeVar("T")

IF_MATCH: Final = {
    "If-Match": "ETag of the state the change rests on, or * for whatever is there",
}
ETAG: Final = {"ETag": "State of the document, for If-Match"}
MAX_MINE: Final = 50  # documents of one kind that one user may have
STAMPS_EXAMPLE: Final[dict[str, Any]] = {
    "version": 1760000000000,
    "etag": '"1760000000000"',
    "updated_at": 1760000000.0,
    "persisted": True,
}
_TAG: Final = re.compile(r'(W/)?"(\d{1,18})"')


def etag(document: Document) -> str:
    return f'"{document.revision}"'


def expected(*, required: bool) -> Expected:
    """What If-Match and If-None-Match say must be there. Raises Problem 428 when nothing is said and that is needed."""
    match = request.headers.get("If-Match")
    if match is not None:
        if match.strip() == "*":
            return "present"
        # A weak tag never matches here (RFC 9110, 13.1.1); a tag that is not one of ours matches nothing.
        return tuple(int(number) for weak, number in _TAG.findall(match) if not weak)
    if request.headers.get("If-None-Match", "").strip() == "*":
        return "absent"
    if required:
        raise Problem(428, "Say which state the change rests on: send the ETag you have read as If-Match")
    return "any"


async def write(backend: Backend, work: Callable[[sqlite3.Connection], T]) -> T:
    """`work` on the control store. Raises Problem 404, 409, 412, 503."""
    try:
        return await backend.control.store.write(work)
    except StaleError as error:
        if error.present is None and request.headers.get("If-Match") is None:
            raise Problem(404, "There is no such thing") from error
        raise Problem(
            412,
            "It was changed meanwhile: read it again, and change that"
            if error.present is not None
            else "It is not there any more",
            headers={"ETag": etag(error.present)} if error.present is not None else {},
        ) from error
    except TooManyError as error:
        raise Problem(409, f"There are {error.limit} already, which is the limit: delete some first") from error
    except ArchiveError as error:
        raise _trouble(error) from error
    except PoisonError as error:
        raise Problem(422, f"It can't be stored: {error}") from error


async def read(backend: Backend, work: Callable[[sqlite3.Connection], T]) -> T:
    """Raises Problem 503."""
    try:
        return await backend.control.store.read(work)
    except ArchiveError as error:
        raise _trouble(error) from error


def respond(document: Document, body: dict[str, Any], status: int = 200, location: str | None = None) -> Response:
    """`body` with the document's ETag."""
    response = json_response(body, status)
    response.headers["ETag"] = etag(document)
    if location is not None:
        response.headers["Location"] = location
    return response


async def put_mine(backend: Backend, kind: str, id_: str, body: dict[str, Any], *, create: bool) -> Document:
    """A PUT of what is not there yet needs no If-Match; the ETag of the defaults ("0") stands for nothing there."""
    owner, now_ms = user(), backend.wall_ms()
    known = None
    if not create:
        known = await read(backend, lambda connection: document(connection, kind, id_, owner))
    rests_on = expected(required=known is not None)
    if create or (known is None and rests_on in ("any", (0,))):
        rests_on = "absent"
    return await write(
        backend,
        lambda connection: put_document(
            connection, kind, id_, body, owner=owner, expected=rests_on, now_ms=now_ms, limit=MAX_MINE
        ),
    )


def stamps(backend: Backend, found: Document) -> dict[str, Any]:
    return {
        "version": found.revision,
        "etag": etag(found),
        "created_at": found.created_ms / 1000,
        "updated_at": found.updated_ms / 1000,
        "persisted": backend.control.store.persisted,
    }


def _trouble(error: ArchiveError) -> Problem:
    return Problem(503, f"Settings can't be used now: {error.reason}", headers={"Retry-After": "5"})

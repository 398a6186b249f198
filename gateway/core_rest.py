"""CoachIQ's core over REST, for actions: what it has, how one entity stands, and one absolute command.

The core answers HTTP 200 whatever came of a command: the body's `status` decides, and is handed on as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec
import trio

from actors.core import CoreAnswer, Entity, NoAnswerError, NotSentError

from .outbound import Reply, exchange

READ_WITHIN_S: Final = 5.0
ANSWER_WITHIN_S: Final = 10.0
PEER: Final = "the core"
PATH: Final = "/api/v2/entities"
PAGE: Final = 100  # entities in one answer of the core, which gives 50 unless asked, and no more than this
MAX_PAGES: Final = 20


class CoreRest:
    """See actors/core.py for the promises. `url` may be that of its WebSocket, too."""

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        path = parts.path.rstrip("/").removesuffix("/ws")
        self._base = urlunsplit((scheme, parts.netloc, path, "", ""))
        self._headers = {"Accept": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    async def entities(self) -> list[Entity]:
        by_id: dict[str, Entity] = {}  # what moves from one page to the next meanwhile is there once
        for page in range(1, MAX_PAGES + 1):
            document = _object(await self._get(f"{PATH}?page={page}&page_size={PAGE}"))
            found = document.get("entities", document)
            for each in found.values() if isinstance(found, dict) else found:
                if isinstance(each, dict) and isinstance(each.get("entity_id"), str):
                    by_id[each["entity_id"]] = _entity(each)
            if document.get("has_next") is not True:
                break
        return list(by_id.values())

    async def entity(self, entity_id: str) -> Entity | None:
        reply = await self._get(f"{PATH}/{quote(entity_id, safe='')}", missing_is_fine=True)
        return None if reply.status == 404 else _entity({"entity_id": entity_id, **_object(reply)})

    async def control(self, entity_id: str, command: Mapping[str, Any], send_by_s: float) -> CoreAnswer:
        headers = {**self._headers, "Content-Type": "application/json"}
        body = msgspec.json.encode(dict(command))
        url = f"{self._base}{PATH}/{quote(entity_id, safe='')}/control"
        with trio.move_on_after(ANSWER_WITHIN_S):
            reply = await exchange(
                "POST", url, headers=headers, body=body, max_body_bytes=1 << 16, send_by_s=send_by_s, peer=PEER
            )
            document = _object(reply) if reply.body.lstrip()[:1] == b"{" else {}
            status = document.get("status")
            said = (document.get(member) for member in ("error_message", "message", "detail"))
            message = next((each[:500] for each in said if isinstance(each, str) and each), None)
            return CoreAnswer(reply.status, status if isinstance(status, str) else None, message)
        raise NoAnswerError(f"the core did not answer within {ANSWER_WITHIN_S:g} s")

    async def _get(self, path: str, *, missing_is_fine: bool = False) -> Reply:
        with trio.move_on_after(READ_WITHIN_S):
            reply = await exchange("GET", self._base + path, headers=self._headers, max_body_bytes=8 << 20, peer=PEER)
            if reply.status == 200 or (missing_is_fine and reply.status == 404):
                return reply
            raise NoAnswerError(f"the core answered {reply.status}")
        raise NotSentError(f"the core did not answer within {READ_WITHIN_S:g} s")


def _object(reply: Reply) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NoAnswerError("the core's answer is not JSON") from error
    if isinstance(document, list):
        return {"entities": document}
    if not isinstance(document, dict):
        raise NoAnswerError("the core's answer is no object")
    return document


def _entity(document: Mapping[str, Any]) -> Entity:
    state = document.get("state")
    name = document.get("name") or document.get("friendly_name") or document["entity_id"]
    return Entity(
        entity_id=document["entity_id"],
        name=str(name),
        kind=str(document.get("device_type") or ""),
        area=str(document.get("area") or document.get("suggested_area") or ""),
        available=document.get("available") is not False,
        state=state if isinstance(state, dict) else {"state": state},
    )

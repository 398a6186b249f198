"""/api/analytics/layouts: pages of the dashboard, each user's own."""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from quart import Response

from storage.control_documents import Document, all_documents, delete_document, document

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_model
from ..documents import (
    ETAG,
    IF_MATCH,
    MAX_MINE,
    STAMPS_EXAMPLE,
    expected,
    put_mine,
    read,
    respond,
    stamps,
    write,
)
from ..problems import Problem
from ..routes import Route, json_response
from ..user import user

LAYOUT: Final = "layout"
LAYOUTS_PATH: Final = "/api/analytics/layouts"
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


async def list_layouts(backend: Backend) -> Response:
    owner = user()
    found = await read(backend, lambda connection: all_documents(connection, LAYOUT, owner))
    return json_response(
        {
            "total": len(found),
            "layouts": [_layout(backend, each) for each in found],
            "persisted": backend.control.store.persisted,
        }
    )


async def get_layout(backend: Backend, layout_id: str) -> Response:
    owner = user()
    found = await read(backend, lambda connection: document(connection, LAYOUT, layout_id, owner))
    if found is None:
        raise Problem(404, "There is no such layout")
    return respond(found, _layout(backend, found))


async def create_layout(backend: Backend) -> Response:
    asked = await read_model(schemas.personal.LayoutRequest)
    stored = await put_mine(backend, LAYOUT, secrets.token_hex(6), asked.model_dump(), create=True)
    return respond(stored, _layout(backend, stored), 201, f"{LAYOUTS_PATH}/{stored.id}")


async def put_layout(backend: Backend, layout_id: str) -> Response:
    if not _ID.fullmatch(layout_id):
        message = "at most 64 of a-z, 0-9, _, - and ."
        raise Problem(422, f"layout_id: {message}", errors=[{"parameter": "layout_id", "message": message}])
    asked = await read_model(schemas.personal.LayoutRequest)
    stored = await put_mine(backend, LAYOUT, layout_id, asked.model_dump(), create=False)
    return respond(stored, _layout(backend, stored))


async def delete_layout(backend: Backend, layout_id: str) -> Response:
    rests_on, owner = expected(required=False), user()
    await write(
        backend, lambda connection: delete_document(connection, LAYOUT, layout_id, owner=owner, expected=rests_on)
    )
    return json_response(
        {"success": True, "message": "The layout is deleted", "persisted": backend.control.store.persisted}
    )


def _layout(backend: Backend, found: Document) -> dict[str, Any]:
    return {"id": found.id, **found.body, **stamps(backend, found)}


BODY_EXAMPLE: Final[dict[str, Any]] = {
    "name": "Night",
    "columns": 12,
    "widgets": [
        {"id": "soc", "type": "tile", "x": 0, "y": 0, "w": 3, "h": 2, "metrics": ["battery.house.soc"], "options": {}}
    ],
}
EXAMPLE: Final[dict[str, Any]] = {
    "id": "5f1c0a9be4d2",
    **BODY_EXAMPLE,
    "schema_version": 1,
    "widgets": [{**BODY_EXAMPLE["widgets"][0], "title": None}],
    "created_at": 1760000000.0,
    **STAMPS_EXAMPLE,
}
_PATH: Final = {"layout_id": "Id of the layout: at most 64 of a-z, 0-9, _, - and ."}
_ERRORS: Final = {404: "There is no such layout", 422: "widgets/0/w: must be less than or equal to 48"}

ROUTES: Final = (
    Route(
        method="GET",
        path=LAYOUTS_PATH,
        handler=list_layouts,
        summary="My layouts",
        description=f"Of whoever asks, in order of creation; at most {MAX_MINE}.",
        tag="Personal",
        answers=lambda: {
            200: Answer(
                "The layouts",
                schemas.personal.LayoutsResponse,
                example={"total": 1, "layouts": [EXAMPLE], "persisted": True},
            ),
            **problems(404, 500, 503),
        },
        gated=True,
    ),
    Route(
        method="POST",
        path=LAYOUTS_PATH,
        handler=create_layout,
        summary="Make a layout",
        description="Its id is chosen by the service; PUT makes one of a chosen id.",
        tag="Personal",
        bodies=lambda: (schemas.personal.LayoutRequest,),
        body_examples={"night": BODY_EXAMPLE},
        answers=lambda: {
            201: Answer(
                "It is made",
                schemas.personal.LayoutResponse,
                example=EXAMPLE,
                headers={**ETAG, "Location": "Where it is"},
            ),
            **problems(400, 404, 408, 409, 413, 415, 422, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="GET",
        path=f"{LAYOUTS_PATH}/<layout_id>",
        handler=get_layout,
        summary="One layout",
        description="With the ETag that a change must name.",
        tag="Personal",
        path_parameters=_PATH,
        answers=lambda: {
            200: Answer("The layout", schemas.personal.LayoutResponse, example=EXAMPLE, headers=ETAG),
            **problems(404, 500, 503, details=_ERRORS),
        },
        gated=True,
    ),
    Route(
        method="PUT",
        path=f"{LAYOUTS_PATH}/<layout_id>",
        handler=put_layout,
        summary="Change a layout, or make it",
        description="The whole layout anew. One that is there needs If-Match.",
        tag="Personal",
        bodies=lambda: (schemas.personal.LayoutRequest,),
        body_examples={"night": BODY_EXAMPLE},
        path_parameters=_PATH,
        headers=IF_MATCH,
        answers=lambda: {
            200: Answer("It is stored", schemas.personal.LayoutResponse, example=EXAMPLE, headers=ETAG),
            **problems(400, 404, 408, 409, 412, 413, 415, 422, 428, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="DELETE",
        path=f"{LAYOUTS_PATH}/<layout_id>",
        handler=delete_layout,
        summary="Delete a layout",
        description="Without If-Match whatever is there is deleted.",
        tag="Personal",
        path_parameters=_PATH,
        headers=IF_MATCH,
        answers=lambda: {
            200: Answer(
                "It is deleted",
                schemas.thresholds.DeletedResponse,
                example={"success": True, "message": "The layout is deleted", "persisted": True},
            ),
            **problems(404, 412, 500, 503, details=_ERRORS),
        },
        scope="act",
        gated=True,
    ),
)

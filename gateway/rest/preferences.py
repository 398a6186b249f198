"""/api/analytics/preferences: how whoever asks wants to see and hear things."""

from __future__ import annotations

from typing import Any, Final

from quart import Response

from storage.control_documents import Document, document

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_model
from ..channel_secrets import MaskedError, masked, unmasked
from ..documents import ETAG, IF_MATCH, STAMPS_EXAMPLE, put_mine, read, respond, stamps
from ..problems import Problem
from ..routes import Route
from ..user import user

PREFERENCES: Final = "preferences"
MINE: Final = "mine"  # a user has one document of preferences
PREFERENCES_PATH: Final = "/api/analytics/preferences"


async def get_preferences(backend: Backend) -> Response:
    owner = user()
    found = await read(backend, lambda connection: document(connection, PREFERENCES, MINE, owner))
    if found is None:
        await schemas.loaded()
        found = Document(MINE, 0, 0, 0, schemas.personal.PreferencesRequest.model_validate({}).model_dump())
    return respond(found, _preferences(backend, found))


async def put_preferences(backend: Backend) -> Response:
    asked, owner = await read_model(schemas.personal.PreferencesRequest), user()
    known = await read(backend, lambda connection: document(connection, PREFERENCES, MINE, owner))
    try:
        body = unmasked(asked.model_dump(), None if known is None else known.body)
    except MaskedError as error:
        errors = [{"pointer": error.pointer, "message": "is masked: give all of it"}]
        raise Problem(422, str(error), errors=errors) from error
    stored = await put_mine(backend, PREFERENCES, MINE, body, create=False)
    backend.control.courier.look()
    return respond(stored, _preferences(backend, stored))


def _preferences(backend: Backend, found: Document) -> dict[str, Any]:
    about = stamps(backend, found)
    del about["created_at"]
    return {**masked(found.body), **about, "updated_at": found.updated_ms / 1000 if found.updated_ms else None}


PREFERENCES_BODY: Final[dict[str, Any]] = {
    "theme": "night",
    "time_zone": "America/Denver",
    "units": {"temperature": "°F"},
    "notifications": {
        "channels": [{"id": "phone", "type": "apprise", "url": "ntfy://topic", "min_severity": "high"}],
        "quiet_hours": {"enabled": True, "start": "22:00", "end": "07:00"},
    },
}
PREFERENCES_EXAMPLE: Final[dict[str, Any]] = {
    "language": None,
    "time_zone": "America/Denver",
    "theme": "night",
    "units": {"temperature": "°F"},
    "default_layout": None,
    "notifications": {
        "enabled": True,
        "channels": [
            {
                "id": "phone",
                "type": "apprise",
                "url": "ntfy://****",
                "secret": None,
                "enabled": True,
                "min_severity": "high",
                "categories": None,
            }
        ],
        "quiet_hours": {"enabled": True, "start": "22:00", "end": "07:00", "critical_override": True},
        "digest": {"enabled": False, "at": "08:00", "max_severity": "medium"},
        "group_wait_s": 30.0,
        "group_interval_s": 300.0,
        "repeat_interval_s": 43200.0,
        "cooldown_s": 900.0,
    },
    **STAMPS_EXAMPLE,
}

ROUTES: Final = (
    Route(
        method="GET",
        path=PREFERENCES_PATH,
        handler=get_preferences,
        summary="My preferences",
        description='Of whoever asks; the defaults (with ETag "0") while none are stored. Of the channels '
        "addresses and keys nobody is told what is secret: it is masked (`****`), and kept when it is sent back so.",
        tag="Personal",
        answers=lambda: {
            200: Answer(
                "The preferences", schemas.personal.PreferencesResponse, example=PREFERENCES_EXAMPLE, headers=ETAG
            ),
            **problems(404, 500, 503),
        },
        gated=True,
    ),
    Route(
        method="PUT",
        path=PREFERENCES_PATH,
        handler=put_preferences,
        summary="Set my preferences",
        description="All of them anew; what is left out has its default. Once some are stored, If-Match is needed. "
        "A channel's address or key that comes back masked as it was shown stays as it is.",
        tag="Personal",
        bodies=lambda: (schemas.personal.PreferencesRequest,),
        body_examples={"night": PREFERENCES_BODY},
        headers=IF_MATCH,
        answers=lambda: {
            200: Answer(
                "They are stored", schemas.personal.PreferencesResponse, example=PREFERENCES_EXAMPLE, headers=ETAG
            ),
            **problems(
                400, 404, 408, 409, 412, 413, 415, 422, 428, 500, 503,
                details={422: "time_zone: expected the name of a time zone, as America/Denver"},
            ),
        },
        scope="act",
        gated=True,
    ),
)  # fmt: skip

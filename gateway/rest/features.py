"""GET /api/analytics/features and PUT /api/analytics/features/{flag}: switches at run time.

Not gated by analytics_dashboard: it could not be switched on again. Changes last as long as the process.
"""

from __future__ import annotations

from typing import Final

import trio
from quart import Response

from actors.messages import QuarantinedError, SwitchPersistence
from conf.flags import BlockedFlagError, UnknownFlagError

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_model
from ..problems import Problem, printable
from ..routes import Route, json_response

PERSISTENCE: Final = "persistence"
SWITCHED_WITHIN_S: Final = 10.0


def get_features(backend: Backend) -> Response:
    flags = backend.flags
    return json_response(
        {
            "features": {
                name: {
                    "enabled": flags.enabled(name),
                    "depends_on": list(flags.depends_on(name)),
                    "description": flags.description(name),
                }
                for name in flags.names()
            }
        }
    )


async def set_feature(backend: Backend, flag: str) -> Response:
    asked = await read_model(schemas.status.FeatureRequest)
    try:
        changed = backend.flags.set(flag, asked.enabled)
    except UnknownFlagError as error:
        raise Problem(404, f"No feature is called {printable(flag)}") from error
    except BlockedFlagError as error:
        raise Problem(409, str(error)) from error
    message = f"{flag} is {'on' if asked.enabled else 'off'}"
    if PERSISTENCE in changed:
        trouble: Problem | None = None
        try:
            message += await _switch_persistence(backend, changed[PERSISTENCE])
        except Problem as problem:
            trouble = problem  # history will follow when it can, and settings are to be in the same place
        await backend.control.steward.switch(changed[PERSISTENCE])
        if trouble is not None:
            raise trouble
    return json_response(
        {"success": True, "message": message, "feature": flag, "enabled": asked.enabled, "changed": changed}
    )


async def _switch_persistence(backend: Backend, enabled: bool) -> str:
    """Returns when the persister has done so, or has met trouble with the disk; what is to say about it."""
    message = SwitchPersistence(enabled)
    with trio.move_on_after(SWITCHED_WITHIN_S):
        try:
            await backend.persist_mailbox.put(message)
            await message.reply.wait()
        except trio.ClosedResourceError as error:
            raise Problem(503, "The service is shutting down", headers={"Retry-After": "5"}) from error
        except QuarantinedError as error:
            raise Problem(500, "The persister failed three times at the switch") from error
        if backend.progress.state == "degraded":
            return f", but not everything can be written yet: {backend.progress.reason}"
        return ""
    raise Problem(
        503,
        f"The persister did not answer within {SWITCHED_WITHIN_S:g} s; it will switch when it can",
        headers={"Retry-After": "10"},
    )


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/analytics/features",
        handler=get_features,
        summary="Feature flags",
        description=(
            "Every flag: whether it is enabled (switched on, and so is all it depends on), and what it depends on."
        ),
        tag="Service",
        answers=lambda: {
            200: Answer(
                "The flags",
                schemas.status.FeaturesResponse,
                example={"features": {"persistence": {"enabled": False, "depends_on": [], "description": None}}},
            ),
            **problems(500),
        },
    ),
    Route(
        method="PUT",
        path="/api/analytics/features/<flag>",
        handler=set_feature,
        summary="Switch a feature",
        description=(
            "At run time, until the process ends. `persistence` is answered when the archive is open (or "
            "closed), or when the disk is in trouble: then `message` says so and the service keeps trying. "
            "With `analytics_dashboard` off every other route below /api/analytics answers 404."
        ),
        tag="Service",
        bodies=lambda: (schemas.status.FeatureRequest,),
        body_examples={"on": {"enabled": True}},
        path_parameters={"flag": "Name of the flag"},
        answers=lambda: {
            200: Answer(
                "Switched, or it was so already",
                schemas.status.FeatureChangeResponse,
                example={
                    "success": True,
                    "message": "persistence is on",
                    "feature": "persistence",
                    "enabled": True,
                    "changed": {"persistence": True},
                },
            ),
            **problems(
                400,
                404,
                408,
                409,
                413,
                415,
                422,
                500,
                503,
                details={
                    404: "No feature is called persistance",
                    409: "analytics_dashboard_enhanced depends on analytics_dashboard, which is off",
                    422: "enabled: must be a valid boolean",
                },
            ),
        },
    ),
)

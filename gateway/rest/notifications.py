"""/api/analytics/notifications: a test message, and the record of deliveries."""

from __future__ import annotations

from typing import Final

from quart import Response

from actors.courier import DeliveryError
from analytics.notices import wishes_from
from storage.control_documents import document
from storage.control_outbox import deliveries

from .. import schemas
from ..answers import Answer, problems
from ..backend import Backend
from ..bodies import read_model
from ..documents import read
from ..problems import Problem
from ..routes import Route, json_response
from ..user import user
from .preferences import MINE, PREFERENCES

PATH: Final = "/api/analytics/notifications"
LATEST: Final = 100


async def send_test_message(backend: Backend) -> Response:
    asked, owner = await read_model(schemas.notifications.TestSendRequest), user()
    found = await read(backend, lambda connection: document(connection, PREFERENCES, MINE, owner))
    channels = () if found is None else wishes_from(found.body["notifications"]).channels
    channel = next((each for each in channels if each.id == asked.channel_id), None)
    if channel is None:
        raise Problem(404, "There is no such channel in your preferences")
    try:
        await backend.control.courier.send_test(channel)
    except DeliveryError as error:
        return json_response({"success": False, "message": f"The message did not arrive: {error}"})
    return json_response({"success": True, "message": f"Channel {channel.id} took the message"})


async def list_deliveries(backend: Backend) -> Response:
    owner = user()
    found = await read(backend, lambda connection: deliveries(connection, owner, LATEST))
    return json_response(
        {
            "total": len(found),
            "deliveries": [
                {
                    "message_id": each.message_id,
                    "channel_id": each.channel_id,
                    "title": each.body["title"],
                    "severity": each.body["severity"],
                    "count": each.body["count"],
                    "state": each.state,
                    "created_at": each.created_ms / 1000,
                    "next_try_at": each.next_ms / 1000 if each.state == "waiting" else None,
                    "done_at": None if each.done_ms is None else each.done_ms / 1000,
                    "attempts": each.attempts,
                    "error": each.error,
                }
                for each in found
            ],
            "persisted": backend.control.store.persisted,
        }
    )


HOW: Final = """Channels, quiet hours, digest, grouping, repeats and cool-down are set in the preferences. A webhook
gets the message as JSON with X-CoachIQ-Timestamp and X-CoachIQ-Signature (`sha256=` and the HMAC-SHA256 of timestamp, a
dot and the body, by the channel's secret). Targets on this network need the setting NOTIFY_LAN; redirects are never
followed. What can't be delivered is tried again after 1 s, doubled up to 15 minutes, or when Retry-After says so;
afterwards everything that waited goes as one message."""
_TAG: Final = "Notifications"

ROUTES: Final = (
    Route(
        method="POST",
        path=f"{PATH}/test",
        handler=send_test_message,
        summary="Send a test message",
        description="At once, to a channel of one's own preferences. `success` false: it did not arrive. " + HOW,
        tag=_TAG,
        bodies=lambda: (schemas.notifications.TestSendRequest,),
        body_examples={"phone": {"channel_id": "phone"}},
        answers=lambda: {
            200: Answer(
                "It was taken, or why not",
                schemas.notifications.TestSendResponse,
                example={"success": True, "message": "Channel phone took the message"},
            ),
            **problems(
                400, 404, 408, 413, 415, 422, 500, 503,
                details={404: "There is no such channel in your preferences"},
            ),
        },
        scope="act",
        gated=True,
    ),
    Route(
        method="GET",
        path=f"{PATH}/deliveries",
        handler=list_deliveries,
        summary="What became of messages",
        description=f"One's own, newest first, at most {LATEST}. " + HOW,
        tag=_TAG,
        answers=lambda: {
            200: Answer(
                "The deliveries",
                schemas.notifications.DeliveriesResponse,
                example={
                    "total": 1,
                    "deliveries": [
                        {
                            "message_id": "0123456789abcdef",
                            "channel_id": "phone",
                            "title": "Refrigerator temperature is above 8.0 °C: 9.4 °C",
                            "severity": "high",
                            "count": 1,
                            "state": "sent",
                            "created_at": 1760000030.0,
                            "next_try_at": None,
                            "done_at": 1760000031.0,
                            "attempts": 1,
                            "error": None,
                        }
                    ],
                    "persisted": True,
                },
            ),
            **problems(404, 500, 503),
        },
        gated=True,
    ),
)  # fmt: skip

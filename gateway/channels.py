"""How messages leave: a signed webhook, and Apprise for e-mail, SMS and push.

Promises: nothing is sent to an address of this network unless that is allowed, and never to where clouds keep their
secrets; no redirect is followed; an answer is read no further than needed. Apprise is loaded when it is first used,
runs in a thread of its own and is left behind when it takes too long.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final

import msgspec
import trio

from actors.core import NoAnswerError, NotSentError
from actors.courier import DeliveryError
from analytics.notices import ChannelWish

from .channel_targets import hosts_of, target_error
from .outbound import AddressError, Reply, exchange, outside, resolve

ANSWER_BYTES: Final = 4_096
WITHIN_S: Final = 20.0
_TRY_AGAIN: Final = (408, 425, 429)


class OutsideChannels:
    """See actors/courier.py for the protocol. `lan`: targets on this network are allowed."""

    def __init__(self, *, lan: bool, wall_ms: Callable[[], int]) -> None:
        self._may_reach = partial(outside, lan=lan)
        self._wall_ms = wall_ms
        self._threads = trio.CapacityLimiter(2)

    async def send(self, channel: ChannelWish, message_id: str, body: Mapping[str, Any]) -> None:
        """Raises DeliveryError."""
        if channel.type == "webhook":
            await self._post(channel, message_id, body)
        else:
            await self._apprise(channel, body)

    async def _post(self, channel: ChannelWish, message_id: str, body: Mapping[str, Any]) -> None:
        text = msgspec.json.encode({"message_id": message_id, **body})
        stamp = str(self._wall_ms() // 1000)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "coachiq-analytics",
            "X-CoachIQ-Message": message_id,
            "X-CoachIQ-Timestamp": stamp,
        }
        if channel.secret:
            headers["X-CoachIQ-Signature"] = f"sha256={signature(channel.secret, stamp, text)}"
        with trio.move_on_after(WITHIN_S):
            try:
                reply = await exchange(
                    "POST", channel.url, headers=headers, body=text, may_reach=self._may_reach,
                    max_body_bytes=ANSWER_BYTES,
                )  # fmt: skip
            except AddressError as error:
                raise DeliveryError(str(error), permanent=True) from error
            except (NotSentError, NoAnswerError) as error:
                raise DeliveryError(str(error)) from error
            _judge(reply)
            return
        raise DeliveryError(f"no answer within {WITHIN_S:g} s")

    async def _apprise(self, channel: ChannelWish, body: Mapping[str, Any]) -> None:
        wrong = target_error(channel.url)
        if wrong is not None:
            raise DeliveryError(wrong, permanent=True)
        for host, port in hosts_of(channel.url):
            try:
                await resolve(host, port, self._may_reach)
            except AddressError as error:
                raise DeliveryError(str(error), permanent=True) from error
            except NotSentError as error:
                raise DeliveryError(str(error)) from error
        await trio.to_thread.run_sync(
            _notify, channel.url, body["title"], body["text"], abandon_on_cancel=True, limiter=self._threads
        )


def signature(secret: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 over `stamp`, a dot and the body, as hexadecimal digits."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def _notify(url: str, title: str, text: str) -> None:
    """Runs in a thread."""
    import apprise  # here, for it costs 46 MB

    asset = apprise.AppriseAsset(app_id="CoachIQ Analytics", async_mode=False, http_redirects=False)
    target = apprise.Apprise(asset=asset)
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as log:  # type: ignore[no-untyped-call]
        if not target.add(url):
            raise DeliveryError("the target is not one that Apprise understands", permanent=True)
        if not target.notify(body=text, title=title):
            last = log.getvalue().strip().splitlines()[-1:] or ["it was not taken"]
            raise DeliveryError(last[0][:300])


def _judge(reply: Reply) -> None:
    if 200 <= reply.status < 300:
        return
    message = f"answered {reply.status}"
    if 300 <= reply.status < 400:
        raise DeliveryError(f"{message}: redirects are not followed", permanent=True)
    permanent = 400 <= reply.status < 500 and reply.status not in _TRY_AGAIN
    raise DeliveryError(message, permanent=permanent, retry_after_s=retry_after(reply.headers.get("retry-after")))


def retry_after(text: str | None) -> float | None:
    """Seconds, from seconds or a date. None: not said, or not understood."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, IndexError):
            return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None

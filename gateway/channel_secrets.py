"""What of a channel is secret: written, and never read back.

An address of a channel holds passwords and tokens (a webhook's path often is one), and whoever may read a user's
preferences need not know them. Promises
- an answer shows of an address what tells people which one it is, and MASK in the place of the rest;
- a masked address or key that comes back unchanged stands for the stored one of the same channel;
- MASK that stands for nothing stored is refused, so that it is never stored itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

MASK: Final = "****"
_MAIL: Final = ("mailto", "mailtos")
_ADDRESS: Final = re.compile(
    r"((?P<user>[^/?#]*)@)?(?P<host>([^@:/?#]+|\[[0-9a-fA-F:.]+\])(:\d+)?)(?P<path>(/[^?#]*)?)(\?(?P<query>[^#]*))?",
    re.DOTALL,
)
# What a mail address's query may say that is no secret.
_PLAIN: Final = ("from", "to", "cc", "bcc", "name", "smtp", "port", "mode", "format", "reply")


class MaskedError(ValueError):
    """`member` holds a mask, and nothing is stored that it could stand for."""

    def __init__(self, member: str) -> None:
        super().__init__(f"{member} is masked: give all of it")
        self.pointer: Final = "/" + member.replace(".", "/")


def masked_url(url: str) -> str:
    """`url` as it is shown. Equal to `url`: there is nothing secret in it."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() in _MAIL:
        return f"{scheme}://{_masked_mail(rest)}"
    if scheme.lower() not in ("http", "https"):
        return f"{scheme}://{MASK}"  # a token may stand anywhere
    parts = _ADDRESS.fullmatch(rest)
    if parts is None:
        return f"{scheme}://{MASK}"
    user, host, after = parts["user"], parts["host"], rest[parts.end("host") :]
    return f"{scheme}://{'' if user is None else MASK + '@'}{host}{f'/{MASK}' if after.strip('/') else after}"


def masked(preferences: Mapping[str, Any]) -> dict[str, Any]:
    """Stored preferences as they are shown."""
    notifications = preferences["notifications"]
    channels = [
        {**each, "url": masked_url(each["url"]), "secret": MASK if each["secret"] else None}
        for each in notifications["channels"]
    ]
    return {**preferences, "notifications": {**notifications, "channels": channels}}


def unmasked(asked: Mapping[str, Any], stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """Preferences as they are to be stored, of `asked` and what is stored now. Raises MaskedError."""
    known = {} if stored is None else {each["id"]: each for each in stored["notifications"]["channels"]}
    channels = [
        _restored(each, known.get(each["id"]), f"notifications.channels.{number}")
        for number, each in enumerate(asked["notifications"]["channels"])
    ]
    return {**asked, "notifications": {**asked["notifications"], "channels": channels}}


def _restored(asked: Mapping[str, Any], known: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    url, secret = asked["url"], asked["secret"]
    if MASK in url:
        # All of it must be the same: a password must not travel to another host.
        if known is None or masked_url(known["url"]) != url:
            raise MaskedError(f"{where}.url")
        url = known["url"]
    if secret == MASK:
        if known is None or not known["secret"]:
            raise MaskedError(f"{where}.secret")
        secret = known["secret"]
    return {**asked, "url": url, "secret": secret}


def _masked_mail(rest: str) -> str:
    parts = _ADDRESS.fullmatch(rest)
    if parts is None:  # a password with a slash in it, say
        return MASK
    user, host, path, query = parts["user"], parts["host"], parts["path"], parts["query"]
    who = "" if user is None else f"{user.partition(':')[0]}{':' + MASK if ':' in user else ''}@"
    asked = [pair.partition("=") for pair in (query or "").split("&") if pair]
    shown = "&".join(f"{name}={value if name.lower() in _PLAIN else MASK}" for name, _, value in asked)
    return f"{who}{host}{path}{'?' + shown if shown else ''}"

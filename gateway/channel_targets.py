"""Targets of notifications: the schemes that are allowed, and the hosts of a target that must be checked."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs, urlsplit

# Services behind fixed addresses of their own: what stands in the place of a host is a token.
_CLOUD: Final = frozenset({
    "clicksend", "discord", "join", "msgbird", "nexmo", "pbul", "pover", "prowl", "sinch", "slack", "tgram", "twilio",
    "vonage",
})  # fmt: skip
# Services at the address that the target names.
_HOSTED: Final = frozenset({
    "gotify", "gotifys", "hassio", "hassios", "mailto", "mailtos", "matrix", "matrixs", "ntfy", "ntfys", "signal",
    "signals",
})  # fmt: skip
SCHEMES: Final = _CLOUD | _HOSTED
_HOSTS_IN_QUERY: Final = ("smtp", "host", "server", "webhook")
_FORBIDDEN: Final = ("redirect", "verify", "template", "attach")


def target_error(url: str) -> str | None:
    """What is wrong with an Apprise target; None: nothing."""
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
    except ValueError as error:
        return f"no address: {error}"
    if parts.scheme.lower() not in SCHEMES:
        return f"{parts.scheme[:20]}:// is not among {', '.join(sorted(SCHEMES))}"
    for name in _FORBIDDEN:
        if name in query:
            return f"{name}= may not be set"
    return None


def hosts_of(url: str) -> list[tuple[str, int]]:
    """Hosts, with a port, that sending to this target will connect to and that somebody could have chosen."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    found = [(host, 0) for name in _HOSTS_IN_QUERY for host in parse_qs(parts.query).get(name, [])]
    to_cloud = scheme in ("ntfy", "ntfys") and not parts.path.strip("/")  # ntfy://topic is at ntfy.sh
    if scheme in _HOSTED and not to_cloud and parts.hostname:
        found.append((parts.hostname, parts.port or 0))
    return found

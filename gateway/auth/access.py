"""Everything that decides who gets in, as one part of the backend; and the credential in a request.

Owns the place in an ASGI scope where the outcome travels: set once by the Gate, looked at by whoever serves.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

from conf.settings import Settings

from ..influx_shape import PATHS as INFLUX_PATHS
from ..problems import Problem
from .identity import AuthError, Identity, Scope
from .limits import Kind, Limits
from .places import PlaceError, Places
from .verifier import Verifier

LOG: Final = logging.getLogger(__name__)
GOOD_SECRET_BYTES: Final = 32  # RFC 7518, 3.2: a key as long as the hash
OUTCOME: Final = "coachiq.outcome"  # scope[OUTCOME]: an Identity or an AuthError
CLIENT: Final = "coachiq.client"  # scope[CLIENT]: the address behind trusted proxies
_PLAIN: Final[Mapping[str, Any]] = {"type": "http", "path": "", "query_string": b""}


@dataclass(frozen=True, slots=True)
class Access:
    """What the Gate and the routes ask."""

    verifier: Verifier
    places: Places = field(default_factory=Places)
    limits: Limits = field(default_factory=lambda: Limits(1e9, 1e9, 1e6))

    def account(
        self, headers: Mapping[bytes, bytes], peer: tuple[str, int] | None, needed: Scope, kind: Kind
    ) -> str | None:
        """Whose account a request past the Gate is on; None: not everything is in order with it.

        For requests whose credential stands in a header.
        """
        try:
            place = self.places.check(headers, peer[0] if peer else "")
            identity = self.verifier.identify(credential(_PLAIN, headers))
            client = identity.client or place.client
            self.limits.check(kind, client)
        except (PlaceError, AuthError, Problem):
            return None
        return client if identity.may(needed) else None

    def check_amount(self, scope: Mapping[str, Any], kind: Kind) -> None:
        """Raises Problem 429 while the client's account is overdrawn."""
        self.limits.check(kind, client_of(scope))

    def pay(self, scope: Mapping[str, Any], kind: Kind, amount: float) -> None:
        self.limits.pay(kind, client_of(scope), amount)


def open_access() -> Access:
    """For a backend that nobody else can reach."""
    return Access(Verifier("none", wall_ms=lambda: 0))


def build_access(settings: Settings, wall_ms: Callable[[], int]) -> Access:
    """As the settings say. Says so when that is not much."""
    secret = settings.auth_secret
    if "jwt" in settings.auth_mode and secret is not None and len(secret.reveal().encode()) < GOOD_SECRET_BYTES:
        LOG.warning("the secret in COACHIQ_AUTH__SECRET_KEY is shorter than %d bytes", GOOD_SECRET_BYTES)
    if settings.auth_mode == "none" and settings.allow_open:
        LOG.warning("there is no authentication: whoever reaches this service may do everything")
    return Access(
        Verifier(
            settings.auth_mode,
            wall_ms=wall_ms,
            secret=settings.auth_secret,
            tokens_path=settings.tokens_path,
        ),
        Places(settings.allowed_hosts, settings.allowed_origins, settings.trusted_proxies),
        Limits(settings.max_samples_per_s, settings.max_points_per_s, settings.max_actions_per_minute / 60),
    )


def credential(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str | None:
    """The token a request carries, or None.

    `Authorization: Bearer` or `Token` (as Influx clients send it) anywhere; on Influx's paths also Basic and `u`
    and `p`, of which the password is the token; `?token=` on a WebSocket, whose handshake a browser gives no
    headers. Nowhere else: addresses end up in logs.
    """
    given = headers.get(b"authorization")
    if given is not None:
        scheme, _, rest = given.decode("latin-1").strip().partition(" ")
        match scheme.lower():
            case "bearer" | "token":
                return rest.strip()
            case "basic" if scope["path"] in INFLUX_PATHS:
                return _password(rest)
        return ""
    query = scope["query_string"]
    if not query:
        return None
    if scope["type"] == "websocket":
        name = "token"
    elif scope["path"] in INFLUX_PATHS:
        name = "p"
    else:
        return None
    values = parse_qs(query.decode("latin-1"), max_num_fields=100).get(name) if query.count(b"&") < 100 else None
    return values[0] if values else None


def _password(text: str) -> str:
    try:
        return base64.b64decode(text.strip(), validate=True).decode().partition(":")[2]
    except ValueError:  # not base64, or not UTF-8
        return ""


def note_outcome(scope: MutableMapping[str, Any], outcome: Identity | AuthError, client: str) -> None:
    scope[OUTCOME] = outcome
    scope[CLIENT] = client


def identity_of(scope: Mapping[str, Any]) -> Identity:
    """Who asks. Raises AuthError; also for a request that no Gate has seen."""
    outcome = scope.get(OUTCOME)
    if isinstance(outcome, Identity):
        return outcome
    raise outcome if isinstance(outcome, AuthError) else AuthError("This needs a token", missing=True)


def client_of(scope: Mapping[str, Any]) -> str:
    """Whose account the request is on: the identity, and where there is none the address."""
    outcome = scope.get(OUTCOME)
    return (outcome.client if isinstance(outcome, Identity) else "") or str(scope.get(CLIENT, ""))

"""Who is asking, and what they may do: scopes, roles, identities.

Promises: an identity holds nothing secret; what is not granted is refused; `admin` includes every other scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, get_args

from msgspec import Struct

Scope = Literal["ingest", "read", "act", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
EVERYTHING: Final[frozenset[Scope]] = frozenset(SCOPES)

# CoachIQ's roles. Its users record metrics and control entities, its readonly role looks on.
ROLES: Final[dict[str, frozenset[Scope]]] = {
    "admin": EVERYTHING,
    "user": frozenset({"read", "ingest", "act"}),
    "readonly": frozenset({"read"}),
}


class AuthError(Exception):
    """No identity. `str()` is a sentence for people that repeats nothing of the credential."""

    def __init__(self, message: str, *, expired: bool = False, missing: bool = False) -> None:
        super().__init__(message)
        self.expired = expired
        self.missing = missing


class Identity(Struct, frozen=True):
    """`client`: whose account rate limits are kept on. `expires_ms`: wall clock; None: when it is revoked."""

    client: str
    scopes: frozenset[Scope]
    expires_ms: int | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


def granted(scopes: Iterable[str]) -> frozenset[Scope]:
    """The scopes that `scopes` add up to. Raises ValueError that names an unknown one."""
    found: set[Scope] = set()
    for name in scopes:
        if name not in SCOPES:
            raise ValueError(f"unknown scope {name!r}: expected {', '.join(SCOPES)}")
        found.add(name)
    return EVERYTHING if "admin" in found else frozenset(found)

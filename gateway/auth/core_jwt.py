"""The tokens of CoachIQ's core: which of its JWTs are a key to this service.

The core signs everything with one secret and HS256: access tokens, refresh tokens, magic links. Promises: only an
access token counts; the algorithm is ours to choose, not the token's; a claim of the wrong type is a refusal and
never an error; `exp` is held to exactly, while `iat` and `nbf` may lie SKEW_MS ahead (see decision 0030).
"""

from __future__ import annotations

import warnings
from typing import Any, Final

import jwt
from jwt.types import Options

from .identity import ROLES, AuthError, Identity

ALGORITHMS: Final = ("HS256",)
ISSUER: Final = "coachiq"
AUDIENCE: Final = "coachiq-api"
SKEW_MS: Final = 120_000
MAX_CHARS: Final = 8_192
MAX_SECONDS: Final = 2**53  # further from 1970 is no time; JSON knows numbers no clock can be held against

# All but the signature is checked here, against the service's own clock.
_OPTIONS: Final[Options] = {
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}

# A short secret is the core's choice; `serve` says so once, not with each request.
warnings.filterwarnings("ignore", category=jwt.InsecureKeyLengthWarning, module=r"gateway\.auth\.core_jwt")


def identify(text: str, secret: str, now_ms: int) -> Identity:
    """Whose access token this is. Raises AuthError."""
    if len(text) > MAX_CHARS:
        raise AuthError("The token is not valid")
    try:
        claims = jwt.decode(text, secret, algorithms=list(ALGORITHMS), options=_OPTIONS)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise AuthError("The token is not valid") from error
    return _from_claims(claims, now_ms)


def _from_claims(claims: dict[str, Any], now_ms: int) -> Identity:
    _check_kind(claims)
    subject = claims.get("sub")
    if isinstance(subject, bool) or not isinstance(subject, str | int) or subject == "" or not _is_text(str(subject)):
        raise AuthError("The token names nobody (sub)")
    expires_ms = _time_ms(claims, "exp")
    if expires_ms is None:
        raise AuthError("The token has no expiry (exp)")
    if expires_ms <= now_ms:
        raise AuthError("The token has expired", expired=True)
    for name in ("iat", "nbf"):
        at_ms = _time_ms(claims, name)
        if at_ms is not None and at_ms > now_ms + SKEW_MS:
            raise AuthError(f"The token is not valid yet ({name})")
    return Identity(f"user:{subject}", ROLES[_role(claims)], expires_ms)


def _is_text(text: str) -> bool:
    """JSON can write half a surrogate pair; no file and no answer can."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _check_kind(claims: dict[str, Any]) -> None:
    """Access tokens as the core issues them now say so; its older ones carry issuer and audience instead."""
    if "token_type" in claims or claims.get("type", "access") != "access":
        raise AuthError("This is not an access token")
    issuer, audience = claims.get("iss"), claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if (issuer is not None and issuer != ISSUER) or (audience is not None and AUDIENCE not in audiences):
        raise AuthError("The token was made for another service")
    if "type" not in claims and (issuer is None or audience is None):
        raise AuthError("This is not an access token")


def _role(claims: dict[str, Any]) -> str:
    """The least that the claims allow: `role`, or `admin` where there is none. An unknown role looks on."""
    if "role" in claims:
        role = claims["role"]
        return role if isinstance(role, str) and role in ROLES else "readonly"
    return "admin" if claims.get("admin") is True else "user"


def _time_ms(claims: dict[str, Any], name: str) -> int | None:
    seconds = claims.get(name)
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not -MAX_SECONDS <= seconds <= MAX_SECONDS:
        raise AuthError(f"The token's {name} is not a time")
    return int(seconds * 1000)

"""The command `token`: create, list and revoke tokens of our own, while the service runs or not.

Promises: a new token is the only thing on stdout, and is shown this once; the service takes notice of every change
within about a second, on open sockets too.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from conf.settings import Settings, variable

from .auth.identity import SCOPES, granted
from .auth.tokens import Token, TokensError, create_token, read_tokens, revoke_tokens

EXIT_OK: Final = 0
EXIT_TROUBLE: Final = 1
DAY_MS: Final = 86_400_000


def add_token_parser(commands: Any) -> None:
    """`commands`: what argparse's add_subparsers returned."""
    token = commands.add_parser("token", help="create, list and revoke tokens of this service")
    actions = token.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser(
        "create",
        help="make a token and print it, once",
        description="Prints a new token on stdout. It is kept hashed: whoever loses it makes another.",
    )
    create.add_argument("name", nargs="?", help="whom it is for; shown in `token list`")
    create.add_argument("--name", dest="name_option", help=argparse.SUPPRESS)
    create.add_argument(
        "--scope",
        "--scopes",
        dest="scopes",
        action="append",
        nargs="+",
        metavar="SCOPE",
        help=f"what it allows: {', '.join(SCOPES)} (admin includes all); several, or repeated (default: read)",
    )
    create.add_argument("--days", type=float, help="until it expires (default: it does not)")
    listing = actions.add_parser("list", help="print the tokens, without what they are")
    listing.add_argument("--json", action="store_true", help="as JSON")
    revoke = actions.add_parser("revoke", help="end a token at once")
    revoke.add_argument("which", metavar="ID", help="its id or its name, as listed, or the token itself")


def run_token(asked: argparse.Namespace, settings: Settings) -> int:
    """Returns the exit code."""
    try:
        match asked.action:
            case "create":
                return _create(asked, settings)
            case "list":
                return _list(settings.tokens_path, as_json=asked.json)
            case _:
                return _revoke(settings.tokens_path, asked.which)
    except (TokensError, ValueError) as error:
        return _fail(str(error))


def _create(asked: argparse.Namespace, settings: Settings) -> int:
    words = [word for group in asked.scopes or [["read"]] for each in group for word in each.replace(",", " ").split()]
    scopes = granted(word.lower() for word in words)
    if not scopes:
        return _fail("a token needs a scope")
    now_ms = time.time_ns() // 1_000_000
    if asked.days is not None and not 0 < asked.days <= 36_500:
        return _fail(f"--days: expected a number above 0 and up to 36500, got {asked.days:g}")
    expires_ms = None if asked.days is None else now_ms + round(asked.days * DAY_MS)
    name = asked.name or asked.name_option or "unnamed"
    text, token = create_token(settings.tokens_path, name, scopes, now_ms=now_ms, expires_ms=expires_ms)
    print(text)
    _say(f"token {token.token_id} for {token.name}: {_scopes(token)}; it is shown this once")
    if "token" not in settings.auth_mode:
        _say(f"the service will not ask for it while {variable('auth_mode')} is {settings.auth_mode}")
    return EXIT_OK


def _list(path: Path, *, as_json: bool) -> int:
    tokens = sorted(read_tokens(path).values(), key=lambda token: token.created_ms)
    if as_json:
        print(json.dumps([_public(token) for token in tokens], indent=1))
        return EXIT_OK
    rows: list[Sequence[str]] = [("id", "name", "scopes", "created", "expires")]
    for token in tokens:
        rows.append(
            (token.token_id, token.name, _scopes(token), _day(token.created_ms), _day(token.expires_ms) or "never")
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return EXIT_OK


def _revoke(path: Path, which: str) -> int:
    gone = revoke_tokens(path, which)
    if not gone:
        return _fail("there is no such token; `token list` shows them")
    for token in gone:
        print(f"revoked {token.token_id} ({token.name})")
    return EXIT_OK


def _public(token: Token) -> dict[str, Any]:
    return {
        "id": token.token_id,
        "name": token.name,
        "scopes": list(token.scopes),
        "created_at": token.created_ms / 1000,
        "expires_at": None if token.expires_ms is None else token.expires_ms / 1000,
    }


def _scopes(token: Token) -> str:
    return "admin" if "admin" in token.scopes else ",".join(token.scopes)


def _day(at_ms: int | None) -> str:
    return "" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}Z"


def _fail(message: str) -> int:
    _say(message)
    return EXIT_TROUBLE


def _say(message: str) -> None:
    print(f"coachiq-analytics: {message}", file=sys.stderr)

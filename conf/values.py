"""How a setting is read from text: numbers, paths, secrets, lists of names and networks.

Each parser raises a ValueError whose words complete "NAME: ...". Promises: a secret does not print
itself, whoever formats it; a list that parses is one its user can apply as it is.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HIDDEN: Final = "(set)"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A text that appears in no log, table or traceback by itself: `reveal` gives it."""

    _text: str

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return HIDDEN

    __repr__ = __str__


def flag(text: str) -> bool:
    match text.strip().lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
    raise ValueError("expected true or false")


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return number

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}")
        return number

    return parse


def plain_text(text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable():
        raise ValueError("expected a printable text")
    return text


def path(text: str) -> Path:
    try:
        return Path(plain_text(text)).expanduser()
    except RuntimeError as error:  # ~somebody whom this machine does not know
        raise ValueError("expected a path") from error


def choice(*choices: str, upper: bool = False) -> Callable[[str], Any]:
    def parse(text: str) -> str:
        word = text.strip().upper() if upper else text.strip().lower()
        if word not in choices:
            raise ValueError(f"expected {', '.join(choices[:-1])} or {choices[-1]}")
        return word

    return parse


def secret(text: str) -> Secret:
    if not text.strip():
        raise ValueError("expected a secret")
    return Secret(text.strip())


def hosts(text: str) -> tuple[str, ...]:
    """Host names, comma-separated: lower case, without ports; `*.example.com` stands for all below it."""
    names = _parts(text)
    for name in names:
        bare = name.removeprefix("*.")
        if not bare or not all(each.isalnum() or each in "-._" for each in bare):
            raise ValueError("expected host names like rv.example.com or *.example.com, without ports")
    return tuple(name.lower() for name in names)


def origins(text: str) -> tuple[str, ...]:
    """Origins as browsers send them, comma-separated: scheme://host or scheme://host:port."""
    names = _parts(text)
    for name in names:
        parts = urlsplit(name)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.fragment:
            raise ValueError("expected origins like https://rv.example.com, without a path")
    return tuple(name.lower() for name in names)


def networks(text: str) -> tuple[Network, ...]:
    """Addresses or networks in CIDR form, comma-separated."""
    try:
        return tuple(ipaddress.ip_network(part) for part in _parts(text))
    except ValueError as error:
        raise ValueError("expected addresses or networks like 127.0.0.1 or 192.168.1.0/24") from error


def base_url(*schemes: str) -> Callable[[str], str]:
    """A parser of an absolute URL of one of `schemes`, without query; a trailing slash is dropped."""

    def parse(text: str) -> str:
        text = text.strip()
        try:
            parts = urlsplit(text)
            port_ok = parts.port is None or parts.port > 0
        except ValueError:
            parts, port_ok = urlsplit(""), False
        bad = parts.query or parts.fragment or parts.username or parts.password or not port_ok
        if parts.scheme not in schemes or not parts.hostname or bad or not text.isprintable() or " " in text:
            raise ValueError(f"expected a URL that begins with {' or '.join(f'{each}://' for each in schemes)}")
        return text.rstrip("/")

    return parse


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise ValueError("expected at least one entry")
    return parts

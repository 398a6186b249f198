"""What may be done at the press of a button, to what, and how carefully: hard-coded, whatever a rule or a client says.

Owns the templates (absolute commands only: `set`, never toggle or step), the risk classes, and the list of what is
never operated from here. Promises: what is not known to be harmless is amber; a word of FORBIDDEN anywhere in an
entity's id, name, kind or role makes it red; red has no command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct

Risk = Literal["green", "amber", "red"]

FORBIDDEN: Final = re.compile(
    r"propane|lpg|(?<![a-z])lp(?![a-z])|gas[_ .-]?valve|engine|transmission|brake|steering|jack|level(l?ing|l?er)"
    r"|auto[_ .-]?level|slide|awning|ignition"
)
GENERATOR: Final = re.compile(r"generator|gen[_ .-]?(set|start)|(?<![a-z])(gen|ags)(?![a-z])")
HARMLESS: Final = re.compile(r"light|lamp|fan|vent")


class Template(Struct, frozen=True):
    """`command`: the body for the core; `words`: what happens, {name} being the entity's."""

    name: str
    command: Mapping[str, Any]
    turns_on: bool
    words: str
    done: str


TEMPLATES: Final[Mapping[str, Template]] = {
    each.name: each
    for each in (
        Template("switch_off", {"command": "set", "state": False}, False, "{name} is switched off", "{name} off"),
        Template("switch_on", {"command": "set", "state": True}, True, "{name} is switched on", "{name} on"),
        Template(
            "dim",
            {"command": "set", "state": True, "brightness": 25},
            True,
            "{name} is dimmed to 25 %",
            "{name} at 25 %",
        ),
    )
}


def risk(template: Template, *descriptions: str) -> Risk:
    """`descriptions`: everything that is known of the entity in words: id, name, kind, role, area."""
    text = " ".join(descriptions).lower()
    if FORBIDDEN.search(text) or (GENERATOR.search(text) and template.turns_on):
        return "red"
    return "green" if HARMLESS.search(text) and not GENERATOR.search(text) else "amber"


def consequence(template: Template, name: str, risk_: Risk) -> str:
    """What a person confirms, in words."""
    words = template.words.format(name=name)
    if risk_ == "amber":
        return f"{words}, wherever it is needed just now. Make sure that nobody depends on it."
    return f"{words}."


def is_so(template: Template, state: Mapping[str, Any]) -> bool | None:
    """Whether an entity's state is what the template would make it. None: the state does not say."""
    on = is_on(state)
    if on is None:
        return None
    brightness = template.command.get("brightness")
    if brightness is None or not on:
        return on is template.turns_on
    shown = state.get("brightness")
    return None if not isinstance(shown, int | float) else round(shown) == brightness


def is_on(state: Mapping[str, Any]) -> bool | None:
    """On or off, however the core spells it. None: it does not say."""
    value = state.get("state", state.get("on", state.get("operating_status")))
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value > 0
    if isinstance(value, str):
        return {"on": True, "off": False, "true": True, "false": False}.get(value.strip().lower())
    return None

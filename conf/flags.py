"""Feature flags: what is switched on, with dependencies resolved.

Owns the flags of one service. A flag is *enabled* when it is switched on and everything it depends on is
enabled; so switching a flag off takes those that depend on it along, and switching it on again brings them
back.

Promises: the dependencies have no cycle and name known flags, else FlagsError at construction. Flags live
as long as the process: a change at run time is not written back to the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct


class FlagsError(Exception):
    """The flags file cannot be used. `str()` is a sentence that names the flag."""


class UnknownFlagError(Exception):
    """No flag has this name."""


class BlockedFlagError(Exception):
    """The flag cannot be switched on while something it depends on is off. `str()` is a sentence."""


class Flag(Struct, frozen=True):
    """One flag as the file has it."""

    name: str
    on: bool
    depends_on: tuple[str, ...] = ()
    description: str | None = None


class FeatureFlags:
    """The flags of one service. `overrides`: what the environment says, over the file."""

    def __init__(self, flags: Mapping[str, Flag], overrides: Mapping[str, bool] | None = None) -> None:
        overrides = overrides or {}
        for name in overrides:
            if name not in flags:
                raise FlagsError(f"no flag is called {name}")
        _refuse_bad_dependencies(flags)
        self._flags: Final = dict(flags)
        self._on: Final = {name: overrides.get(name, flag.on) for name, flag in flags.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._flags

    def names(self) -> list[str]:
        """In the order of the file."""
        return list(self._flags)

    def enabled(self, name: str) -> bool:
        """Switched on, and so is all it depends on. Raises UnknownFlagError."""
        return self._on[self._known(name).name] and all(map(self.enabled, self._flags[name].depends_on))

    def depends_on(self, name: str) -> tuple[str, ...]:
        return self._known(name).depends_on

    def description(self, name: str) -> str | None:
        return self._known(name).description

    def states(self) -> dict[str, bool]:
        """name -> enabled."""
        return {name: self.enabled(name) for name in self._flags}

    def set(self, name: str, on: bool) -> dict[str, bool]:
        """Switch a flag. Returns every flag that thereby changed, with what it is now.

        Raises UnknownFlagError, and BlockedFlagError for a flag that would stay off for want of another.
        """
        missing = [each for each in self._known(name).depends_on if not self.enabled(each)]
        if on and missing:
            raise BlockedFlagError(f"{name} depends on {' and '.join(missing)}, which is off")
        before = self.states()
        self._on[name] = on
        return {each: state for each, state in self.states().items() if state != before[each]}

    def _known(self, name: str) -> Flag:
        try:
            return self._flags[name]
        except KeyError:
            raise UnknownFlagError(name) from None


def parse_flags(document: object) -> dict[str, Flag]:
    """The content of feature_flags.yaml: name -> {enabled, depends_on?, description?}. Raises FlagsError."""
    if not isinstance(document, Mapping):
        raise FlagsError("expected a mapping of flags")
    return {str(name): _parse_flag(str(name), entry) for name, entry in document.items()}


def _parse_flag(name: str, entry: Any) -> Flag:
    if not isinstance(entry, Mapping):
        raise FlagsError(f"{name}: expected a mapping with enabled")
    unknown = [str(key) for key in entry if key not in ("enabled", "depends_on", "description")]
    if unknown:
        raise FlagsError(f"{name}: unknown member {unknown[0]}")
    on, description = entry.get("enabled"), entry.get("description")
    depends_on = entry.get("depends_on") or []
    if not isinstance(on, bool):
        raise FlagsError(f"{name}: enabled: expected true or false, got {on!r}")
    if not isinstance(depends_on, list) or not all(isinstance(each, str) for each in depends_on):
        raise FlagsError(f"{name}: depends_on: expected a list of flag names")
    if description is not None and not isinstance(description, str):
        raise FlagsError(f"{name}: description: expected a text")
    return Flag(name, on, tuple(depends_on), " ".join(description.split()) if description else None)


def _refuse_bad_dependencies(flags: Mapping[str, Flag]) -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise FlagsError(f"flags depend on each other in a circle: {' -> '.join((*path, name))}")
        if name in done:
            return
        for needed in flags[name].depends_on:
            if needed not in flags:
                raise FlagsError(f"{name}: depends on {needed}, which is no flag")
            visit(needed, (*path, name))
        done.add(name)

    for name in flags:
        visit(name, ())

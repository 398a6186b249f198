"""Reads the yaml files of conf/: the packaged ones, or those of a folder that replaces some of them.

Promises: whatever is wrong with a file ends in one SettingsError that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from analytics.catalogue import Catalogue
from analytics.catalogue_text import parse_catalogue
from analytics.kpi_catalogue import parse_kpis
from analytics.rules import Rules, parse_rules

from .flags import FeatureFlags, FlagsError, parse_flags
from .prepared import prepared
from .settings import Settings, SettingsError

T = TypeVar("T")


def read_conf(name: str, conf_dir: Path | None = None) -> object:
    """The content of `name` (say "metrics.yaml"): `conf_dir`'s when it has such a file, else the packaged.

    Raises SettingsError.
    """
    place = files(__package__) / name
    if conf_dir is not None and (conf_dir / name).exists():
        place = conf_dir / name
    try:
        text = place.read_bytes()
    except OSError as error:
        raise SettingsError(str(place), error.strerror or "cannot be read") from error
    content = prepared(name, text)
    return content if content is not None else _parsed_yaml(text, str(place))


def read_mapping(name: str, conf_dir: Path | None = None) -> Mapping[str, object]:
    """As read_conf, for a file that holds a mapping."""
    document = read_conf(name, conf_dir)
    if not isinstance(document, Mapping):
        raise SettingsError(f"conf/{name}", "expected a mapping")
    return document


def load_flags(settings: Settings) -> FeatureFlags:
    """The flags of feature_flags.yaml with the settings' word over it. Raises SettingsError."""
    try:
        flags = parse_flags(read_conf("feature_flags.yaml", settings.conf_dir))
        return FeatureFlags(flags, settings.flag_overrides())
    except FlagsError as error:
        raise SettingsError("conf/feature_flags.yaml", str(error)) from error


def load_catalogue(conf_dir: Path | None = None) -> Catalogue:
    """The metric catalogue of metrics.yaml. Raises SettingsError."""
    return _parsed("metrics.yaml", conf_dir, parse_catalogue)


def load_rules(conf_dir: Path | None = None) -> Rules:
    """The insight rules of rules.yaml. Raises SettingsError."""
    return _parsed("rules.yaml", conf_dir, parse_rules)


def load_kpis(conf_dir: Path | None = None) -> tuple[Mapping[str, Any], ...]:
    """The shipped KPIs of kpis.yaml. Raises SettingsError."""
    return _parsed("kpis.yaml", conf_dir, parse_kpis)


def _parsed(name: str, conf_dir: Path | None, parse: Callable[[Mapping[str, Any]], T]) -> T:
    document = read_mapping(name, conf_dir)
    try:
        return parse(document)
    except ValueError as error:  # the parsers' own errors are ValueErrors that name the entry
        raise SettingsError(f"conf/{name}", " ".join(str(error).split())) from error


def _parsed_yaml(text: bytes, place: str) -> object:
    from .yaml_text import parse_yaml

    try:
        return parse_yaml(text.decode())
    except UnicodeDecodeError as error:
        raise SettingsError(place, f"not UTF-8 at byte {error.start}") from error
    except ValueError as error:
        raise SettingsError(place, str(error)) from error

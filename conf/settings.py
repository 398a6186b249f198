"""The settings: every environment variable, its default, its range, and where a value came from.

Owns the table of `COACHIQ_ANALYTICS__*` variables. Promises: `load_settings` either returns settings that
are in range and agree with each other, or raises one SettingsError that names the variable; a variable
nobody knows is an error too, since a misspelt setting that is silently ignored is found out on the road.

Names are read without regard to case, as CoachIQ reads its own; an empty value is as good as none. Nothing here
touches files (but the time zone database, to know a name) or the network.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from .time_zone import find_zone
from .values import (
    Network,
    Secret,
    base_url,
    choice,
    flag,
    hosts,
    networks,
    number,
    origins,
    path,
    plain_text,
    secret,
    whole,
)

PREFIX: Final = "COACHIQ_ANALYTICS__"
DEFAULT: Final = "default"
SECRET_KEY: Final = "COACHIQ_AUTH__SECRET_KEY"  # noqa: S105 - a name; what its core signs with
AuthMode = Literal["none", "token", "jwt", "token+jwt"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LogFormat = Literal["json", "text"]


class SettingsError(Exception):
    """The configuration cannot be used. `variable`: the environment variable, option or file to look at."""

    def __init__(self, variable: str, message: str) -> None:
        super().__init__(f"{variable}: {message}")
        self.variable = variable
        self.message = message


def _zone_name(text: str) -> str:
    return find_zone(plain_text(text)).key


def _by(parse: Callable[[str], Any], *names: str) -> dict[str, Any]:
    """How a field of Settings is read. Messages use the first name; the others are spellings of the same."""
    return {"parse": parse, "names": names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One service's settings. Units stand in the names; every default works as it is."""

    # False: the dashboard's routes answer 404.
    enabled: bool = field(default=True, metadata=_by(flag, "ENABLED"))
    host: str = field(default="127.0.0.1", metadata=_by(plain_text, "HOST"))
    port: int = field(default=8099, metadata=_by(whole(0, 65535), "PORT"))  # 0: any free one
    auth_mode: AuthMode = field(default="none", metadata=_by(choice(*get_args(AuthMode)), "AUTH_MODE"))
    # Serve other machines without authentication.
    allow_open: bool = field(default=False, metadata=_by(flag, "ALLOW_OPEN"))
    # What CoachIQ's core signs its tokens with; its own variable, so that one line serves both.
    auth_secret: Secret | None = field(default=None, metadata=_by(secret, SECRET_KEY))
    # Our own tokens, hashed. None: tokens.json beside the database.
    tokens_file: Path | None = field(default=None, metadata=_by(path, "TOKENS_FILE"))
    # Names by which browsers may reach the service, beside addresses and this machine's own names.
    allowed_hosts: tuple[str, ...] = field(default=(), metadata=_by(hosts, "ALLOWED_HOSTS"))
    # Other sites whose pages may use the service.
    allowed_origins: tuple[str, ...] = field(default=(), metadata=_by(origins, "ALLOWED_ORIGINS"))
    # Whose X-Forwarded-* count.
    trusted_proxies: tuple[Network, ...] = field(default=(), metadata=_by(networks, "TRUSTED_PROXIES"))
    # What one client may do; bursts of a minute's worth are fine.
    max_samples_per_s: float = field(default=250_000.0, metadata=_by(number(1, 1e9), "MAX_SAMPLES_PER_SECOND"))
    max_points_per_s: float = field(default=100_000.0, metadata=_by(number(1, 1e9), "MAX_POINTS_PER_SECOND"))
    max_actions_per_minute: float = field(default=300.0, metadata=_by(number(1, 1e6), "MAX_ACTIONS_PER_MINUTE"))
    # CoachIQ's core, whose states are recorded. None: it is not asked.
    core_url: str | None = field(default=None, metadata=_by(base_url("http", "https", "ws", "wss"), "CORE_URL"))
    core_token: Secret | None = field(default=None, metadata=_by(secret, "CORE_TOKEN"))
    # Notifications may go to addresses on this network (a mail server of one's own).
    notify_lan: bool = field(default=False, metadata=_by(flag, "NOTIFY_LAN"))
    log_level: LogLevel = field(default="INFO", metadata=_by(choice(*get_args(LogLevel), upper=True), "LOG_LEVEL"))
    log_format: LogFormat = field(default="json", metadata=_by(choice(*get_args(LogFormat)), "LOG_FORMAT"))
    # Of the coach, for days and weeks as people live them: an IANA name. None: as this machine is set.
    time_zone: str | None = field(default=None, metadata=_by(_zone_name, "TIME_ZONE"))
    # Its yaml files replace the packaged ones.
    conf_dir: Path | None = field(default=None, metadata=_by(path, "CONF_DIR"))

    memory_retention_hours: float = field(default=2.0, metadata=_by(number(0.05, 720), "MEMORY_RETENTION_HOURS"))
    memory_budget_mb: int = field(default=32, metadata=_by(whole(1, 4096), "MEMORY_BUDGET_MB"))
    max_metrics: int = field(default=5000, metadata=_by(whole(1, 100_000), "MAX_METRICS"))

    insight_generation_interval_s: float = field(
        default=900.0,
        metadata=_by(number(1, 86400), "INSIGHT_GENERATION_INTERVAL", "INSIGHT_GENERATION_INTERVAL_SECONDS"),
    )
    pattern_analysis_interval_s: float = field(
        default=1800.0,
        metadata=_by(number(1, 86400), "PATTERN_ANALYSIS_INTERVAL", "PATTERN_ANALYSIS_INTERVAL_SECONDS"),
    )
    # Of judgements (anomalies), not of facts (limits, silence): those are always told.
    notifications_per_week: float = field(default=5.0, metadata=_by(number(0, 1000), "NOTIFICATIONS_PER_WEEK"))
    max_memory_insights: int = field(default=100, metadata=_by(whole(1, 10_000), "MAX_MEMORY_INSIGHTS"))
    max_memory_patterns: int = field(default=50, metadata=_by(whole(1, 10_000), "MAX_MEMORY_PATTERNS"))

    # None: as feature_flags.yaml says.
    persistence: bool | None = field(default=None, metadata=_by(flag, "PERSISTENCE"))
    # False: no commits by the clock; full batches, ack=durable and the stop still commit.
    enable_background_persistence: bool = field(default=True, metadata=_by(flag, "ENABLE_BACKGROUND_PERSISTENCE"))
    db_path: Path = field(default=Path("data/analytics.db"), metadata=_by(path, "DB_PATH"))
    # None: backups beside the database.
    backup_dir: Path | None = field(default=None, metadata=_by(path, "BACKUP_DIR"))
    persistence_retention_days: float = field(
        default=30.0, metadata=_by(number(0.05, 3650), "PERSISTENCE_RETENTION_DAYS")
    )
    # Of the archive's file and its write-ahead log together, in 1,000,000 bytes; near it old samples are thinned.
    storage_budget_mb: int = field(default=100, metadata=_by(whole(5, 1_000_000), "STORAGE_BUDGET_MB"))
    # Timestamps are kept to this many milliseconds, in memory and on disk alike; 1 keeps every sample apart.
    timestamp_resolution_ms: int = field(default=1, metadata=_by(whole(1, 60_000), "TIMESTAMP_RESOLUTION_MS"))
    sqlite_batch_size: int = field(default=100, metadata=_by(whole(1, 100_000), "SQLITE_BATCH_SIZE"))
    flush_interval_s: float = field(
        default=5.0, metadata=_by(number(0.05, 3600), "FLUSH_INTERVAL", "FLUSH_INTERVAL_SECONDS")
    )
    cleanup_interval_s: float = field(
        default=3600.0, metadata=_by(number(1, 604_800), "CLEANUP_INTERVAL_SECONDS", "CLEANUP_INTERVAL")
    )

    @property
    def memory_retention_ms(self) -> int:
        return round(self.memory_retention_hours * 3_600_000)

    @property
    def memory_budget_bytes(self) -> int:
        return self.memory_budget_mb << 20

    @property
    def storage_budget_bytes(self) -> int:
        return self.storage_budget_mb * 1_000_000

    @property
    def persistence_retention_ms(self) -> int:
        return round(self.persistence_retention_days * 86_400_000)

    @property
    def backup_path(self) -> Path:
        """Where the service itself puts backups."""
        return self.db_path.parent / "backups" if self.backup_dir is None else self.backup_dir

    @property
    def tokens_path(self) -> Path:
        """Where our own tokens are kept; only the command line writes there."""
        return self.db_path.parent / "tokens.json" if self.tokens_file is None else self.tokens_file

    def flag_overrides(self) -> dict[str, bool]:
        """What these settings say about feature flags, over the yaml file."""
        overrides = {}
        if not self.enabled:
            overrides["analytics_dashboard"] = False
        if self.persistence is not None:
            overrides["persistence"] = self.persistence
        return overrides


def variable(field_name: str) -> str:
    """The environment variable of a field of Settings, as messages spell it."""
    name: str = next(each for each in fields(Settings) if each.name == field_name).metadata["names"][0]
    return name if name == SECRET_KEY else PREFIX + name


def parse_setting(field_name: str, text: str, *, spelled: str) -> Any:
    """The value of one field from text; `spelled` is what a SettingsError names."""
    parse = next(each for each in fields(Settings) if each.name == field_name).metadata["parse"]
    try:
        return parse(text)
    except ValueError as error:
        if parse is secret:
            raise SettingsError(spelled, str(error)) from None
        raise SettingsError(spelled, f"{error}, got {_shown(text)}") from error


def load_settings(environ: Mapping[str, str], *, check: bool = True) -> tuple[Settings, dict[str, str]]:
    """Settings, and for each field its origin: "default" or the variable's name. Raises SettingsError.

    `check`: False for who puts further values over these and calls check_settings afterwards.
    """
    given = _given(environ)
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for each in fields(Settings):
        origin[each.name] = DEFAULT
        for name in each.metadata["names"]:
            if name not in given:
                continue
            spelled, text = given.pop(name)
            value = parse_setting(each.name, text, spelled=spelled)
            if each.name in values and values[each.name] != value:
                raise SettingsError(spelled, f"says {_shown(text)}, but {origin[each.name]} says otherwise")
            if each.name not in values:
                values[each.name], origin[each.name] = value, spelled
    for spelled, _ in given.values():
        raise SettingsError(spelled, f"no such setting{_suggestion(spelled)}")
    settings = Settings(**values)
    if check:
        check_settings(settings, origin)
    return settings, origin


def check_settings(settings: Settings, origin: Mapping[str, str]) -> None:
    """What several settings must agree on. Raises SettingsError naming the one that was given."""

    def named(field_name: str) -> str:
        given = origin.get(field_name, DEFAULT)
        return variable(field_name) if given == DEFAULT else given

    if settings.auth_mode == "none" and not settings.allow_open and not is_loopback(settings.host):
        raise SettingsError(
            named("host"),
            f"{settings.host} can be reached from other machines and there is no authentication: "
            f"set {variable('allow_open')}=true if that is meant",
        )
    if "jwt" in settings.auth_mode and settings.auth_secret is None:
        raise SettingsError(SECRET_KEY, f"must be set: {named('auth_mode')} is {settings.auth_mode}")
    if settings.conf_dir is not None and not settings.conf_dir.is_dir():
        raise SettingsError(named("conf_dir"), f"no such directory: {settings.conf_dir}")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a socket bound to `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _given(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Our variables: upper-case name without prefix -> (name as spelled, text)."""
    given: dict[str, tuple[str, str]] = {}
    known = {name for each in fields(Settings) for name in each.metadata["names"]}
    for spelled, text in environ.items():
        name = spelled.upper()
        if name.startswith(PREFIX):
            name = name.removeprefix(PREFIX)
        elif name != SECRET_KEY:
            continue
        if not text.strip():  # `NAME=`, as compose files and unit files write it, is not given
            if name not in known:
                raise SettingsError(spelled, f"no such setting{_suggestion(spelled)}")
            continue
        if name in given and given[name][1] != text:
            said = "" if name in _SECRETS else f"says {_shown(text)}, but "
            raise SettingsError(spelled, f"{said}{given[name][0]} says otherwise")
        given[name] = (spelled, text)
    return given


def _suggestion(spelled: str) -> str:
    known = [name for each in fields(Settings) for name in each.metadata["names"]]
    near = difflib.get_close_matches(spelled.upper().removeprefix(PREFIX), known, n=1)
    return f"; did you mean {PREFIX}{near[0]}?" if near else ""


_SECRETS: Final = frozenset({SECRET_KEY, "CORE_TOKEN"})


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")

"""What belongs to one user: layouts of the dashboard, and preferences, those of notifications included."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..channel_targets import target_error
from .base import Answered, Category, Severity, UnixSeconds

MAX_OPTIONS_BYTES: Final = 4_096
MAX_LAYOUT_BYTES: Final = 65_536
Name = Annotated[str, Field(min_length=1, max_length=80)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="As 22:00")]


class _Set(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True, str_strip_whitespace=True)


class Widget(_Set):
    """One tile. x and w count columns, y and h rows."""

    id: Word
    type: Word = Field(description="What it shows: the dashboard knows which there are")
    title: str | None = Field(None, max_length=80)
    x: int = Field(ge=0, le=47)
    y: int = Field(ge=0, le=999)
    w: int = Field(ge=1, le=48)
    h: int = Field(ge=1, le=100)
    metrics: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field(default=[], max_length=50)
    options: dict[str, Any] = Field(default={}, description=f"At most {MAX_OPTIONS_BYTES} bytes as JSON")

    @field_validator("options")
    @classmethod
    def _small(cls, options: dict[str, Any]) -> dict[str, Any]:
        if len(msgspec.json.encode(options)) > MAX_OPTIONS_BYTES:
            raise ValueError(f"at most {MAX_OPTIONS_BYTES} bytes")
        return options


class LayoutRequest(_Set):
    """A page of widgets. `schema_version` says by which form it was written."""

    name: Name
    schema_version: Literal[1] = 1
    columns: int = Field(12, ge=1, le=48)
    widgets: list[Widget] = Field(default=[], max_length=100)

    @model_validator(mode="after")
    def _fit(self) -> Self:
        ids = [widget.id for widget in self.widgets]
        for id_ in ids:
            if ids.count(id_) > 1:
                raise ValueError(f"widget id {id_} is given twice")
        for widget in self.widgets:
            if widget.x + widget.w > self.columns:
                raise ValueError(f"widget {widget.id} is wider than the page")
        if len(self.model_dump_json().encode()) > MAX_LAYOUT_BYTES:
            raise ValueError(f"at most {MAX_LAYOUT_BYTES} bytes")
        return self


class LayoutResponse(Answered):
    id: str
    name: str
    schema_version: int
    columns: int
    widgets: list[Widget]
    version: int = Field(description="Grows with every change")
    etag: str
    created_at: UnixSeconds
    updated_at: UnixSeconds
    persisted: bool


class LayoutsResponse(Answered):
    total: int
    layouts: list[LayoutResponse]
    persisted: bool


class Channel(_Set):
    """One way to reach a person, and for what."""

    id: Word
    type: Literal["webhook", "email", "apprise"] = Field(
        description="webhook: a JSON POST, signed; email: mailto(s):// by Apprise; apprise: any other service it knows"
    )
    url: str = Field(
        min_length=4, max_length=1_000, description="https://..., mailtos://user:password@host, ntfy://..."
    )
    secret: str | None = Field(None, max_length=200, description="Key of a webhook's HMAC signature")
    enabled: bool = True
    min_severity: Severity = "medium"
    categories: list[Category] | None = Field(None, description="Only these; null: all")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        scheme = self.url.partition("://")[0].lower()
        expected = {"webhook": ("http", "https"), "email": ("mailto", "mailtos")}.get(self.type)
        if "://" not in self.url or (expected is not None and scheme not in expected):
            raise ValueError(
                f"the url of channel {self.id} must begin with {'://, '.join(expected or ('a scheme',))}://"
            )
        wrong = None if self.type == "webhook" else target_error(self.url)
        if wrong is not None:
            raise ValueError(f"channel {self.id}: {wrong}")
        return self


class QuietHours(_Set):
    """When nothing is sent but what is critical. The end may lie before the start: over midnight."""

    enabled: bool = False
    start: Clock = "22:00"
    end: Clock = "07:00"
    critical_override: bool = Field(True, description="Critical ones are sent all the same")


class Digest(_Set):
    """Less severe ones gathered into one message a day."""

    enabled: bool = False
    at: Clock = "08:00"
    max_severity: Severity = Field("medium", description="What is more severe is sent at once")


class Notifications(_Set):
    enabled: bool = True
    channels: list[Channel] = Field(default=[], max_length=10)
    quiet_hours: QuietHours = Field(default_factory=lambda: QuietHours.model_validate({}))
    digest: Digest = Field(default_factory=lambda: Digest.model_validate({}))
    group_wait_s: float = Field(30.0, ge=0, le=600, description="How long the first of a group waits for others")
    group_interval_s: float = Field(300.0, ge=10, le=86_400, description="Between two messages of a group")
    repeat_interval_s: float = Field(43_200.0, ge=300, le=604_800, description="When what still holds is told again")
    cooldown_s: float = Field(900.0, ge=0, le=86_400, description="How long after its message a rule keeps silent")

    @model_validator(mode="after")
    def _once(self) -> Self:
        ids = [channel.id for channel in self.channels]
        if len(set(ids)) < len(ids):
            raise ValueError("channels: an id is given twice")
        return self


class PreferencesRequest(_Set):
    """One user's preferences, whole. What is left out has its default."""

    language: str | None = Field(None, pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")
    time_zone: str | None = Field(None, max_length=64, description="IANA name; null: the coach's")
    theme: Literal["auto", "light", "dark", "night"] = "auto"
    units: dict[Word, Annotated[str, Field(min_length=1, max_length=16)]] = Field(
        default={}, max_length=32, description='By quantity, as {"temperature": "°F"}'
    )
    default_layout: Word | None = None
    notifications: Notifications = Field(default_factory=lambda: Notifications.model_validate({}))

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: "Europe" is a folder
                raise ValueError("expected the name of a time zone, as America/Denver") from error
        return name


class PreferencesResponse(PreferencesRequest):
    etag: str
    version: int
    updated_at: UnixSeconds | None
    persisted: bool

"""What all models of the REST interface share, and the problem document.

The models describe: handlers build plain values and encode them once, and in the tests every answer is held against
its model. So a large answer costs no validation, and the document cannot lie. They are built when first used
(`defer_build`): none is needed for the start.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Severity = Literal["low", "medium", "high", "critical"]
Category = Literal["performance", "reliability", "efficiency", "cost"]
Resolution = Literal["1m", "5m", "15m", "1h", "6h", "1d"]
Direction = Literal["up", "down", "stable"]
DataQuality = Literal["good", "limited", "no_data", "error"]
UnixSeconds = Annotated[FiniteFloat, Field(description="Unix time in seconds")]
Hours = Annotated[int, Field(ge=1, le=720, description="How far back to look, in hours (1 to 720: 30 days)")]
Fraction = Annotated[FiniteFloat, Field(ge=0, le=1)]


class Answered(BaseModel):
    """Base of all that is answered: closed, so that an answer with an undocumented member fails its test."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Asked(BaseModel):
    """Base of all queries: unknown parameters are ignored."""

    model_config = ConfigDict(extra="ignore", defer_build=True)


class ProblemError(BaseModel):
    """What exactly is wrong, and where. Exactly one of `parameter`, `pointer`, `index`, `line` says where."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    parameter: str | None = Field(None, description="Name of the parameter: of the query, the path or a header")
    pointer: str | None = Field(None, description="JSON pointer (RFC 6901) into the body")
    index: int | None = Field(
        None,
        description="Row of a batch; of columns the position of the sample in its series or, of a series that was "
        "refused as a whole, the position of that series",
    )
    series: str | None = Field(None, description="Name of the series, in a batch of columns")
    line: int | None = Field(None, description="Number of the line, of a body in line protocol")
    message: str


class ProblemDetails(BaseModel):
    """An error, as RFC 9457 has it. `detail` is always a readable sentence."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    type: str = Field(description="about:blank: `title` says it all")
    title: str
    status: int
    detail: str
    instance: str = Field(description="Path of the request")
    errors: list[ProblemError] = []


JsonObject = dict[str, Any]

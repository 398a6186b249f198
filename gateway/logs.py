"""The log: one JSON object a line on stderr, or plain text for people.

Promises: `event` is a constant of the source code; what came from outside stands in values (`args`, `message`) and
nowhere else, with every control character escaped, so that no line can be forged; what the settings call secret is
masked wherever it should turn up, tokens in addresses and headers too.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.types import EventDict

from conf.settings import LogFormat, LogLevel

MASK: Final = "***"
MAX_CHARS: Final = 4_000  # of one value
_TOKENS: Final = re.compile(r"(caq_)[\w\-]{8,}|(\beyJ[\w\-]{5,}\.)[\w\-]+\.[\w\-]*|([?&](?:token|p)=)[^&\s\"']+")
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def configure_logs(
    level: LogLevel, form: LogFormat, *, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Everything that is logged in this process, by whichever library, goes out by these rules."""
    masked = _Masked(secrets)
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    render: Any = _to_json if form == "json" else _to_text
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_from_record],
            pass_foreign_args=True,
            use_get_message=False,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, masked, render],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)


class _Masked:
    """A processor that takes secrets out of every text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({each for each in secrets if each}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, logger: Any, name: str, event: EventDict) -> EventDict:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            if self._secrets is not None:
                value = self._secrets.sub(MASK, value)
            return _TOKENS.sub(lambda found: (found[1] or found[2] or found[3]) + MASK, value)
        if isinstance(value, list):
            return [self._clean(each) for each in value]
        return value


def _from_record(logger: Any, name: str, event: EventDict) -> EventDict:
    """A record of the standard library: its template is the event, what fills it are values."""
    record: logging.LogRecord = event["_record"]
    args = event.get("positional_args") or ()
    template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    told: EventDict = {
        "timestamp": _stamp(record.created),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": template,
        "_record": record,
        "_from_structlog": False,
    }
    if isinstance(args, tuple) and args:
        told["args"] = [each if isinstance(each, bool | int | float) else str(each)[:MAX_CHARS] for each in args]
    if record.exc_info:
        told["exception"] = logging.Formatter().formatException(record.exc_info)
    told["message"] = _message(str(record.msg), args)[:MAX_CHARS]  # last: people read the end of a line
    return told


def _message(template: str, args: Any) -> str:
    try:
        return template % args if args else template
    except (TypeError, ValueError, KeyError):  # values do not fit: the line is worth more than its form
        return template


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _to_json(logger: Any, name: str, event: EventDict) -> str:
    plain = {key: _sayable(value) for key, value in event.items()}
    return msgspec.json.encode(plain).decode()


def _to_text(logger: Any, name: str, event: EventDict) -> str:
    message = _CONTROLS.sub(_escaped, str(event.get("message", event.get("event", ""))))
    line = f"{event.get('timestamp', '')} {str(event.get('level', '')).upper()} {event.get('logger', '')}: {message}"
    trace = event.get("exception")
    # A traceback holds text from outside too: its lines are indented, so that none of them passes for a record.
    below = [] if trace is None else [f"    {_CONTROLS.sub(_escaped, each)}" for each in str(trace).split("\n")]
    return "\n".join([line, *below])


def _escaped(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()


def _sayable(value: Any) -> Any:
    """Without lone surrogates, which UTF-8 cannot carry."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list):
        return [_sayable(each) for each in value]
    return value

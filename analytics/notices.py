"""What people are sent, and when: severity and category by channel, grouping, cool-down, quiet hours, digest, repeats.

Pure: a `Grouping` is one user's state; `hear` takes a notice, `take` says what is to be sent now, `due_ms` when to ask
again. Promises
- what comes together goes out together: the first of a group waits `group_wait_s` (critical: URGENT_MS), the next group
  goes no sooner than `group_interval_s` after it;
- what was over before anybody was told is never told; what was told is told to be over;
- a rule keeps silent for its cool-down after a message, unless it has become worse; what still holds then is told;
- what a person has put out of the way is neither told nor repeated, and what does not hold any more is not repeated;
- in quiet hours nothing goes but what is critical (if wished), and what has gathered goes as one afterwards;
- quiet hours follow the clock on the wall through its changes;
- what is told later than it was seen says when that was, by the clock of whom it is told;
- a clock that is set back holds nothing back.

Times are unix milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field, to_builtins

from .local_time import DAY_MS, LocalTime
from .records import SEVERITIES, Category, Json, Severity

URGENT_MS: Final = 500
FOREVER_MS: Final = 2**62
LATE_MS: Final = 10 * 60_000
LINES: Final = 20  # notices that a message names
MAX_PENDING: Final = 1_000
RANK: Final[Mapping[str, int]] = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class Notice(Struct, frozen=True):
    """`key`: of the rule and metric. `firing`: it holds; else it is over, of which nobody is told when `silent`."""

    key: str
    title: str
    text: str
    severity: Severity
    category: Category
    firing: bool
    at_ms: int
    silent: bool = False


class Standing(Struct, frozen=True):
    """How things are. Keys of what holds: `wanted` may be told again, `put_away` nobody wants to hear of."""

    wanted: frozenset[str]
    put_away: frozenset[str] = frozenset()


class ChannelWish(Struct, frozen=True):
    id: str
    type: str
    url: str
    secret: str | None = None
    enabled: bool = True
    min_severity: Severity = "medium"
    categories: tuple[str, ...] | None = None

    def wants(self, notice: Notice) -> bool:
        return RANK[notice.severity] >= RANK[self.min_severity] and (
            self.categories is None or notice.category in self.categories
        )


class Wishes(Struct, frozen=True, kw_only=True):
    """One user's. Clock times are minutes since midnight."""

    enabled: bool = True
    channels: tuple[ChannelWish, ...] = ()
    quiet: tuple[int, int] | None = None
    critical_override: bool = True
    digest_at: int | None = None
    digest_max: Severity = "medium"
    group_wait_ms: int = 30_000
    group_interval_ms: int = 300_000
    repeat_ms: int = 43_200_000
    cooldown_ms: int = 900_000


class Grouping(Struct):
    """`pending`: to be told, by key; `open`: told, and not over; `told`: when and how severe it was last told."""

    pending: dict[str, Notice] = field(default_factory=dict)
    heard_ms: dict[str, int] = field(default_factory=dict)  # of the pending ones
    open: dict[str, Notice] = field(default_factory=dict)
    told: dict[str, tuple[int, str]] = field(default_factory=dict)
    sent_ms: int | None = None
    digest_ms: int = 0
    lost: int = 0

    def hear(self, notice: Notice, now_ms: int) -> None:
        known = self.pending.get(notice.key)
        if notice.silent:
            self.open.pop(notice.key, None)
        if not notice.firing and notice.key not in self.open:
            if known is not None:
                self._drop(notice.key)
            return
        if notice.firing and notice.key in self.open and RANK[self.open[notice.key].severity] >= RANK[notice.severity]:
            if known is not None and not known.firing:
                self._drop(notice.key)  # it is back before anybody heard that it was over
            return
        if known is None and len(self.pending) >= MAX_PENDING:
            self.lost += 1
            return
        self._add(notice, self.heard_ms.get(notice.key, now_ms), now_ms)

    def take(self, now_ms: int, wishes: Wishes, local: LocalTime, standing: Standing | None = None) -> list[Notice]:
        """What is to be sent now: most severe first. They are told then. Without `standing` all that was told holds."""
        self._be_no_later_than(now_ms)
        for key in [] if standing is None else standing.put_away & self.pending.keys():
            if self.pending[key].firing:
                self._drop(key)
        self._repeat(now_ms, wishes, standing)
        if not self.pending or self._wait_ms(now_ms, wishes) > now_ms:
            return []
        ready = [each for each in self.pending.values() if self._release_ms(each, now_ms, wishes, local) <= now_ms]
        for notice in ready:
            self._drop(notice.key)
            if notice.firing:
                self.open[notice.key] = notice
            else:
                self.open.pop(notice.key, None)
            self.told[notice.key] = (now_ms, notice.severity)
        if ready:
            self.sent_ms = now_ms
        if wishes.digest_at is not None and self._digest_due(now_ms, wishes, local):
            self.digest_ms = now_ms
        self.told = {key: told for key, told in self.told.items() if key in self.open or now_ms - told[0] < DAY_MS}
        return sorted(ready, key=lambda each: (not each.firing, -RANK[each.severity], each.at_ms))

    def due_ms(self, now_ms: int, wishes: Wishes, local: LocalTime, standing: Standing | None = None) -> int:
        """When `take` may have something, as far as is known now."""
        times = [
            max(self._release_ms(each, now_ms, wishes, local), self._wait_ms(now_ms, wishes))
            for each in self.pending.values()
        ]
        times += [self.told[key][0] + wishes.repeat_ms for key in self._repeated(standing) if key in self.told]
        return min(times, default=FOREVER_MS)

    def _be_no_later_than(self, now_ms: int) -> None:
        """A clock that was ahead must not hold everything back until it is there again."""
        self.heard_ms = {key: min(at_ms, now_ms) for key, at_ms in self.heard_ms.items()}
        self.told = {key: (min(at_ms, now_ms), severity) for key, (at_ms, severity) in self.told.items()}
        self.sent_ms = None if self.sent_ms is None else min(self.sent_ms, now_ms)
        self.digest_ms = min(self.digest_ms, now_ms)

    def _add(self, notice: Notice, heard_ms: int, now_ms: int) -> None:
        if not self.pending:
            self.digest_ms = now_ms  # digests before had nothing to gather: this is for the next
        self.pending[notice.key] = notice
        self.heard_ms[notice.key] = heard_ms

    def _drop(self, key: str) -> None:
        del self.pending[key]
        self.heard_ms.pop(key, None)

    def _repeat(self, now_ms: int, wishes: Wishes, standing: Standing | None) -> None:
        for key in self._repeated(standing):
            told_ms = self.told.get(key, (now_ms, ""))[0]
            if key not in self.pending and now_ms - told_ms >= wishes.repeat_ms:
                self._add(self.open[key], now_ms - wishes.group_wait_ms, now_ms)

    def _repeated(self, standing: Standing | None) -> list[str]:
        return [key for key in self.open if standing is None or key in standing.wanted]

    def _wait_ms(self, now_ms: int, wishes: Wishes) -> int:
        """When the group may go."""
        first = min(self.heard_ms.get(key, now_ms) for key in self.pending)
        urgent = [self.heard_ms.get(key, now_ms) for key, each in self.pending.items() if each.severity == "critical"]
        earliest = self.sent_ms + wishes.group_interval_ms if self.sent_ms is not None else 0
        wait = max(first + wishes.group_wait_ms, earliest)
        return min(wait, min(urgent) + URGENT_MS) if urgent else wait

    def _release_ms(self, notice: Notice, now_ms: int, wishes: Wishes, local: LocalTime) -> int:
        """When this one may go, whatever the group does."""
        told = self.told.get(notice.key)
        release = now_ms
        if (
            told is not None
            and notice.firing
            and RANK[notice.severity] <= RANK[told[1]]
            and notice.key not in self.open
        ):
            release = told[0] + wishes.cooldown_ms
        loud = notice.severity == "critical" and wishes.critical_override
        if wishes.digest_at is not None and RANK[notice.severity] <= RANK[wishes.digest_max]:
            release = max(release, now_ms if self._digest_due(now_ms, wishes, local) else next_clock(
                now_ms, wishes.digest_at, local))  # fmt: skip
        if wishes.quiet is not None and not loud:
            release = max(release, quiet_until(max(release, now_ms), wishes.quiet, local))
        return release

    def _digest_due(self, now_ms: int, wishes: Wishes, local: LocalTime) -> bool:
        """The clock has shown the digest's time since the last one."""
        if wishes.digest_at is None:
            return False
        if not self.digest_ms:
            self.digest_ms = now_ms  # the first one comes with the next time of day
        return next_clock(self.digest_ms, wishes.digest_at, local) <= now_ms


def minutes(clock: str) -> int:
    """`22:00` as minutes since midnight."""
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def quiet_until(at_ms: int, quiet: tuple[int, int], local: LocalTime) -> int:
    """The end of the quiet hours at `at_ms`; `at_ms` itself outside of them. Equal ends: never quiet."""
    start, end = quiet
    minute = wall_minute(at_ms, local)
    inside = start <= minute < end if start <= end else minute >= start or minute < end
    return next_clock(at_ms, end, local) if inside else at_ms


def next_clock(after_ms: int, minute: int, local: LocalTime) -> int:
    """The next moment after `after_ms` at which the clock shows `minute` (or, where it is set over it, just after)."""
    wall = after_ms + local.offset_ms(after_ms)
    target = wall - wall % DAY_MS + minute * 60_000
    if target <= wall:
        target += DAY_MS
    guess = target - local.offset_ms(after_ms)
    moment = target - local.offset_ms(guess)
    return moment if moment > after_ms else moment + DAY_MS


def wall_minute(at_ms: int, local: LocalTime) -> int:
    return (at_ms + local.offset_ms(at_ms)) % DAY_MS // 60_000


def composed(notices: list[Notice], now_ms: int, local: LocalTime, skipped: int = 0) -> tuple[str, str, Severity]:
    """Title, text and severity of one message about all of them, sent at `now_ms`."""

    def dated(text: str, each: Notice) -> str:
        return text if now_ms - each.at_ms < LATE_MS else f"{text} ({local.day_and_time(each.at_ms)})"

    firing = [each for each in notices if each.firing]
    severity: Severity = max((each.severity for each in firing or notices), key=RANK.__getitem__)
    if len(notices) == 1 and not skipped:
        return ("" if firing else "Over: ") + notices[0].title, dated(notices[0].text, notices[0]), severity
    over = len(notices) - len(firing)
    parts = [f"{len(firing)} to look at"] if firing else []
    parts += [f"{over} over"] if over else []
    lines = [
        dated(f"{'' if each.firing else 'over: '}[{each.severity}] {each.title}", each) for each in notices[:LINES]
    ]
    more = len(notices) - len(lines) + skipped
    return ", ".join(parts), "\n".join([*lines, *([f"and {more} more"] if more else [])]), severity


def wishes_from(notifications: Json) -> Wishes:
    """From the member `notifications` of stored preferences, which the gateway has checked."""
    quiet, digest = notifications["quiet_hours"], notifications["digest"]
    return Wishes(
        enabled=notifications["enabled"],
        channels=tuple(
            ChannelWish(**{**each, "categories": None if each["categories"] is None else tuple(each["categories"])})
            for each in notifications["channels"]
        ),
        quiet=(minutes(quiet["start"]), minutes(quiet["end"])) if quiet["enabled"] else None,
        critical_override=quiet["critical_override"],
        digest_at=minutes(digest["at"]) if digest["enabled"] else None,
        digest_max=digest["max_severity"],
        group_wait_ms=round(notifications["group_wait_s"] * 1000),
        group_interval_ms=round(notifications["group_interval_s"] * 1000),
        repeat_ms=round(notifications["repeat_interval_s"] * 1000),
        cooldown_ms=round(notifications["cooldown_s"] * 1000),
    )


def grouping_json(grouping: Grouping) -> dict[str, Any]:
    """For storage."""
    document: dict[str, Any] = to_builtins(grouping)
    return document


def grouping_from(document: Json) -> Grouping:
    def notices(name: str) -> dict[str, Notice]:
        return {key: Notice(**each) for key, each in document[name].items()}

    told = {key: (each[0], each[1]) for key, each in document["told"].items()}
    return Grouping(
        notices("pending"), dict(document["heard_ms"]), notices("open"), told, document["sent_ms"],
        document["digest_ms"], document["lost"],
    )  # fmt: skip

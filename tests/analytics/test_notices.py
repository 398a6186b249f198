"""Who is sent what, and when: grouping, cool-down, quiet hours across changes of the clocks, digest, repeats."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from analytics.local_time import UTC_TIME, LocalTime
from analytics.notices import (
    FOREVER_MS,
    ChannelWish,
    Grouping,
    Notice,
    Standing,
    Wishes,
    composed,
    grouping_from,
    grouping_json,
    minutes,
    next_clock,
    quiet_until,
    wishes_from,
)

DAY_MS = 86_400_000
NOON_MS = 20_000 * DAY_MS + DAY_MS // 2
S, MIN, HOUR = 1_000, 60_000, 3_600_000
WISHES = Wishes()


def notice(key: str = "a", severity: str = "high", *, firing: bool = True, at_ms: int = NOON_MS) -> Notice:
    return Notice(key, f"title {key}", "text", severity, "reliability", firing, at_ms)


def keys(found: list[Notice]) -> list[str]:
    return [f"{'' if each.firing else '-'}{each.key}" for each in found]


def take(grouping: Grouping, after_ms: int, wishes: Wishes = WISHES, local: LocalTime = UTC_TIME) -> list[str]:
    return keys(grouping.take(NOON_MS + after_ms, wishes, local))


def test_five_hundred_at_once_are_one_message() -> None:
    grouping = Grouping()
    for number in range(500):
        grouping.hear(notice(str(number)), NOON_MS + number)
    assert take(grouping, 29_999) == []
    assert grouping.due_ms(NOON_MS + 500, WISHES, UTC_TIME) == NOON_MS + 30_000
    found = grouping.take(NOON_MS + 30_000, WISHES, UTC_TIME)
    assert len(found) == 500
    title, text, severity = composed(found, NOON_MS, UTC_TIME)
    assert (title, severity, len(text.splitlines())) == ("500 to look at", "high", 21)
    assert text.endswith("and 480 more")


def test_the_next_group_waits_five_minutes_and_critical_does_not() -> None:
    grouping = Grouping()
    grouping.hear(notice("a"), NOON_MS)
    assert take(grouping, 30 * S) == ["a"]
    grouping.hear(notice("b"), NOON_MS + 40 * S)
    assert take(grouping, 5 * MIN) == []
    grouping.hear(notice("c", "critical"), NOON_MS + 5 * MIN)
    assert take(grouping, 5 * MIN + 499) == []
    assert take(grouping, 5 * MIN + 500) == ["c", "b"]


def test_what_was_over_before_anybody_heard_is_never_told() -> None:
    grouping = Grouping()
    grouping.hear(notice(), NOON_MS)
    grouping.hear(notice(firing=False), NOON_MS + S)
    assert take(grouping, HOUR) == []
    assert grouping.due_ms(NOON_MS, WISHES, UTC_TIME) == FOREVER_MS


def test_what_was_told_is_told_to_be_over_unless_it_comes_back() -> None:
    grouping = Grouping()
    grouping.hear(notice(), NOON_MS)
    take(grouping, 30 * S)
    grouping.hear(notice(firing=False), NOON_MS + MIN)
    grouping.hear(notice(), NOON_MS + 2 * MIN)
    assert take(grouping, HOUR) == []
    grouping.hear(notice(firing=False), NOON_MS + HOUR)
    assert take(grouping, HOUR + 30 * S) == ["-a"]


def test_a_rule_is_silent_for_its_cooldown_unless_it_is_worse() -> None:
    grouping = Grouping()
    grouping.hear(notice("a", "medium"), NOON_MS)
    take(grouping, 30 * S)
    grouping.hear(notice("a", "medium", firing=False), NOON_MS + MIN)
    assert take(grouping, 6 * MIN) == ["-a"]
    grouping.hear(notice("a", "medium"), NOON_MS + 7 * MIN)
    assert take(grouping, 20 * MIN) == []
    assert take(grouping, 21 * MIN) == ["a"]  # a cool-down after its last message it still holds
    grouping.hear(notice("a", "high"), NOON_MS + 22 * MIN)
    assert take(grouping, 30 * MIN) == ["a"]


def test_what_still_holds_is_repeated_after_twelve_hours() -> None:
    grouping = Grouping()
    grouping.hear(notice(), NOON_MS)
    take(grouping, 30 * S)
    assert grouping.due_ms(NOON_MS + HOUR, WISHES, UTC_TIME) == NOON_MS + 12 * HOUR + 30 * S
    assert take(grouping, 12 * HOUR) == []
    assert take(grouping, 12 * HOUR + 30 * S) == ["a"]
    assert take(grouping, 13 * HOUR) == []


def test_what_is_put_away_before_it_is_told_is_not_told() -> None:
    grouping = Grouping()
    for key in ("a", "b"):
        grouping.hear(notice(key), NOON_MS)
    standing = Standing(frozenset({"b"}), frozenset({"a"}))
    assert keys(grouping.take(NOON_MS + 30 * S, WISHES, UTC_TIME, standing)) == ["b"]


def test_what_is_not_known_to_hold_is_not_repeated_and_nobody_waits_for_it() -> None:
    grouping, nothing = Grouping(), Standing(frozenset())
    grouping.hear(notice(), NOON_MS)
    assert take(grouping, 30 * S) == ["a"]
    assert grouping.take(NOON_MS + DAY_MS, WISHES, UTC_TIME, nothing) == []
    assert grouping.due_ms(NOON_MS + DAY_MS, WISHES, UTC_TIME, nothing) == FOREVER_MS
    assert take(grouping, DAY_MS) == ["a"]


def test_what_ended_silently_is_told_when_it_comes_again() -> None:
    grouping = Grouping()
    grouping.hear(notice(), NOON_MS)
    assert take(grouping, 30 * S) == ["a"]
    over = notice(firing=False)
    grouping.hear(Notice(over.key, over.title, over.text, over.severity, over.category, False, NOON_MS, True), NOON_MS)
    assert take(grouping, 2 * HOUR) == []
    grouping.hear(notice(), NOON_MS + 3 * HOUR)
    assert take(grouping, 4 * HOUR) == ["a"]


def test_quiet_hours_hold_back_all_but_the_critical() -> None:
    wishes = Wishes(quiet=(minutes("22:00"), minutes("07:00")))
    grouping, late = Grouping(), 11 * HOUR  # 23:00
    grouping.hear(notice("a"), NOON_MS + late)
    grouping.hear(notice("b", "critical"), NOON_MS + late)
    assert take(grouping, late + S, wishes) == ["b"]
    assert take(grouping, 19 * HOUR - 1, wishes) == []
    assert grouping.due_ms(NOON_MS + late + S, wishes, UTC_TIME) == NOON_MS + 19 * HOUR
    assert take(grouping, 19 * HOUR, wishes) == ["a"]
    silent = Wishes(quiet=(minutes("22:00"), minutes("07:00")), critical_override=False)
    grouping.hear(notice("c", "critical"), NOON_MS + late)
    assert take(grouping, late + HOUR, silent) == []


def test_a_digest_gathers_what_can_wait() -> None:
    wishes = Wishes(digest_at=minutes("08:00"), repeat_ms=10**12)
    grouping = Grouping()
    grouping.hear(notice("a", "low"), NOON_MS)
    grouping.hear(notice("b", "high"), NOON_MS)
    assert take(grouping, 30 * S, wishes) == ["b"]
    assert take(grouping, 19 * HOUR, wishes) == []
    grouping.hear(notice("c", "medium"), NOON_MS + 19 * HOUR)
    assert take(grouping, 20 * HOUR, wishes) == ["c", "a"]
    grouping.hear(notice("d", "low"), NOON_MS + 20 * HOUR)
    assert take(grouping, 30 * HOUR, wishes) == []
    assert take(grouping, 44 * HOUR, wishes) == ["d"]


def test_days_without_anything_to_gather_bring_no_digest_forward() -> None:
    wishes = Wishes(digest_at=minutes("08:00"), repeat_ms=10**12)
    grouping = Grouping()
    grouping.hear(notice("a", "low"), NOON_MS)
    assert take(grouping, 20 * HOUR, wishes) == ["a"]
    grouping.hear(notice("b", "low"), NOON_MS + 4 * DAY_MS)
    assert take(grouping, 4 * DAY_MS + HOUR, wishes) == []
    assert take(grouping, 4 * DAY_MS + 20 * HOUR, wishes) == ["b"]


def test_a_clock_that_is_set_back_holds_nothing_back() -> None:
    wishes = Wishes(digest_at=minutes("08:00"), digest_max="low", repeat_ms=2 * DAY_MS)
    grouping = Grouping()
    ahead = 365 * DAY_MS
    grouping.hear(notice("a"), NOON_MS + ahead)
    grouping.hear(notice("b", "low"), NOON_MS + ahead)
    assert take(grouping, ahead + 30 * S, wishes) == ["a"]
    assert take(grouping, 0, wishes) == []
    grouping.hear(notice("c"), NOON_MS + S)
    assert take(grouping, 5 * MIN, wishes) == ["c"]
    assert take(grouping, 20 * HOUR, wishes) == ["b"]
    assert take(grouping, 2 * DAY_MS, wishes) == ["a"]


@pytest.mark.parametrize(
    ("zone", "evening", "hours"),
    [
        ("Europe/Berlin", 1_774_735_200_000, 8),  # 2026-03-28 23:00, the night has an hour less
        ("Europe/Berlin", 1_792_879_200_000 - 3_600_000, 9),  # 2026-10-24 23:00 - and here one more
        ("America/Denver", 1_772_949_600_000, 7),  # 2026-03-07 23:00, two o'clock is left out
        ("UTC", 1_774_735_200_000, 9),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(zone: str, evening: int, hours: int) -> None:
    local = LocalTime(ZoneInfo(zone))
    end = quiet_until(evening, (minutes("22:00"), minutes("07:00")), local)
    assert local.time_of_day(end) == "07:00"
    assert 0 < end - evening <= 10 * HOUR
    assert quiet_until(end, (minutes("22:00"), minutes("07:00")), local) == end


def test_quiet_hours_within_a_day_and_none() -> None:
    assert quiet_until(NOON_MS, (minutes("11:00"), minutes("13:00")), UTC_TIME) == NOON_MS + HOUR
    assert quiet_until(NOON_MS, (minutes("13:00"), minutes("14:00")), UTC_TIME) == NOON_MS
    assert quiet_until(NOON_MS, (minutes("12:00"), minutes("12:00")), UTC_TIME) == NOON_MS


def test_a_time_of_day_that_is_left_out_comes_just_after() -> None:
    """Berlin, 2026-03-29: there is no 2:30."""
    local = LocalTime(ZoneInfo("Europe/Berlin"))
    moment = next_clock(1_774_735_200_000, minutes("02:30"), local)
    assert local.time_of_day(moment) in ("03:30", "01:30")


def test_channels_choose_by_severity_and_category() -> None:
    channel = ChannelWish("a", "webhook", "https://x", min_severity="high", categories=("reliability",))
    assert channel.wants(notice())
    assert not channel.wants(notice(severity="medium"))
    assert not ChannelWish("a", "webhook", "https://x", categories=("cost",)).wants(notice())


def test_one_and_many_in_words() -> None:
    assert composed([notice()], NOON_MS, UTC_TIME) == ("title a", "text", "high")
    assert composed([notice(firing=False)], NOON_MS, UTC_TIME)[0] == "Over: title a"
    both = [notice("a", "low"), notice("b", "critical", firing=False)]
    title, text, severity = composed(both, NOON_MS, UTC_TIME, skipped=3)
    assert (title, severity) == ("1 to look at, 1 over", "low")
    assert text.splitlines() == ["[low] title a", "over: [critical] title b", "and 3 more"]


def test_what_is_told_late_says_when_it_was() -> None:
    early, late = notice("a"), notice("b", at_ms=NOON_MS + 20 * HOUR)
    denver = LocalTime(ZoneInfo("America/Denver"))
    assert composed([early], NOON_MS + 20 * HOUR, denver)[1] == "text (Fri 06:00)"
    lines = composed([early, late], NOON_MS + 20 * HOUR, denver)[1].splitlines()
    assert lines == ["[high] title a (Fri 06:00)", "[high] title b"]


def test_it_survives_storing() -> None:
    grouping = Grouping()
    grouping.hear(notice("a"), NOON_MS)
    take(grouping, 30 * S)
    grouping.hear(notice("b"), NOON_MS + MIN)
    again = grouping_from(grouping_json(grouping))
    assert again == grouping


def test_wishes_from_preferences() -> None:
    wishes = wishes_from(
        {
            "enabled": True,
            "channels": [
                {"id": "a", "type": "webhook", "url": "https://x", "secret": None, "enabled": True,
                 "min_severity": "low", "categories": ["cost"]}
            ],
            "quiet_hours": {"enabled": True, "start": "22:00", "end": "07:30", "critical_override": False},
            "digest": {"enabled": False, "at": "08:00", "max_severity": "low"},
            "group_wait_s": 1.5, "group_interval_s": 10, "repeat_interval_s": 300, "cooldown_s": 0,
        }
    )  # fmt: skip
    assert wishes.channels[0].categories == ("cost",)
    assert (wishes.quiet, wishes.digest_at, wishes.group_wait_ms) == ((1320, 450), None, 1500)

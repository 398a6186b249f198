"""Feature flags: dependencies resolved, circles refused, changes told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.flags import BlockedFlagError, FeatureFlags, Flag, FlagsError, UnknownFlagError, parse_flags
from conf.loader import load_flags, read_conf
from conf.settings import Settings


def make(**on_and_needs: tuple[bool, tuple[str, ...]]) -> FeatureFlags:
    return FeatureFlags({name: Flag(name, on, needs) for name, (on, needs) in on_and_needs.items()})


def test_the_shipped_flags():
    flags = load_flags(Settings())
    assert flags.states() == {"analytics_dashboard": True, "analytics_dashboard_enhanced": True, "persistence": False}
    assert flags.depends_on("analytics_dashboard_enhanced") == ("analytics_dashboard",)
    assert all(flags.description(name) for name in flags.names())
    assert "persistence" in flags
    assert "other" not in flags


def test_the_environment_has_the_last_word():
    flags = load_flags(Settings(enabled=False, persistence=True))
    assert flags.states() == {"analytics_dashboard": False, "analytics_dashboard_enhanced": False, "persistence": True}


def test_a_flag_takes_those_that_depend_on_it_along_and_brings_them_back():
    flags = make(a=(True, ()), b=(True, ("a",)), c=(True, ("b",)), d=(False, ("a",)))
    assert flags.set("a", False) == {"a": False, "b": False, "c": False}
    assert flags.set("a", False) == {}
    assert flags.set("a", True) == {"a": True, "b": True, "c": True}


def test_a_flag_cannot_be_on_without_what_it_depends_on():
    flags = make(a=(False, ()), b=(True, ("a",)))
    assert not flags.enabled("b")
    with pytest.raises(BlockedFlagError, match="b depends on a, which is off"):
        flags.set("b", True)
    assert flags.set("b", False) == {}  # allowed, and remembered
    assert flags.set("a", True) == {"a": True}


def test_unknown_flags():
    flags = make(a=(True, ()))
    for ask in (flags.enabled, flags.depends_on, flags.description, lambda name: flags.set(name, True)):
        with pytest.raises(UnknownFlagError):
            ask("x")
    with pytest.raises(FlagsError, match="no flag is called x"):
        FeatureFlags({}, {"x": True})


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ({"a": ["a"]}, "circle: a -> a"),
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, "circle: a -> b -> c -> a"),
        ({"a": ["x"]}, "a: depends on x, which is no flag"),
    ],
)
def test_bad_dependencies_are_refused(needs, message):
    document = {name: {"enabled": True, "depends_on": each} for name, each in needs.items()}
    with pytest.raises(FlagsError, match=message):
        FeatureFlags(parse_flags(document))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "expected a mapping of flags"),
        ({"a": True}, "a: expected a mapping with enabled"),
        ({"a": {}}, "a: enabled: expected true or false, got None"),
        ({"a": {"enabled": "yes"}}, "a: enabled: expected true or false, got 'yes'"),
        ({"a": {"enabled": True, "depends_on": "b"}}, "a: depends_on: expected a list of flag names"),
        ({"a": {"enabled": True, "depends_on": [1]}}, "a: depends_on: expected a list of flag names"),
        ({"a": {"enabled": True, "description": 3}}, "a: description: expected a text"),
        ({"a": {"enabled": True, "on": True}}, "a: unknown member on"),
    ],
)
def test_a_bad_file_says_which_flag(document, message):
    with pytest.raises(FlagsError, match=message):
        parse_flags(document)


def test_a_description_is_one_line():
    assert parse_flags({"a": {"enabled": True, "description": "one\n  two\n"}})["a"].description == "one two"
    assert parse_flags(read_conf("feature_flags.yaml"))["persistence"].on is False


@given(st.data())
def test_a_change_tells_exactly_what_changed(data):
    """Random graphs without circles: no flag is enabled without what it needs, and set() tells the difference."""
    names = "abcdef"
    flags = FeatureFlags(
        {
            name: Flag(
                name,
                data.draw(st.booleans()),
                tuple(data.draw(st.sets(st.sampled_from(names[:index])))) if index else (),
            )
            for index, name in enumerate(names)
        }
    )
    for _ in range(5):
        before = flags.states()
        name, on = data.draw(st.sampled_from(names)), data.draw(st.booleans())
        try:
            changed = flags.set(name, on)
        except BlockedFlagError:
            assert on
            changed = {}
        after = flags.states()
        assert changed == {each: after[each] for each in names if after[each] != before[each]}
        for each in names:
            assert not after[each] or all(after[needed] for needed in flags.depends_on(each))

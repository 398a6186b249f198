"""The rule of names, forth and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.influx_names import Source, name_of, source_of

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("point", "name"),
    [
        (("battery.house", "voltage", ()), "battery.house.voltage"),
        (("voltage", "value", ()), "voltage"),
        (("battery.house.voltage", "value", ()), "battery.house.voltage"),
        (("cpu", "usage", (("host", "pi"), ("core", "0"))), "cpu.usage{core=0;host=pi}"),
        (("cpu", "value", (("host", "pi"),)), "cpu{host=pi}"),
        (("a,b", "f{}", (("k=;", "v,%"),)), "a%2Cb.f%7B%7D{k%3D%3B=v%2C%25}"),
    ],
)
def test_the_rule(point, name):
    assert name_of(*point) == name
    assert name_of(*_parts(source_of(name))) == name


def _parts(source: Source) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return source.measurement, source.field, source.tags


@given(TEXT, TEXT.filter(lambda text: text != "value"), st.dictionaries(TEXT, TEXT, max_size=3))
def test_a_point_without_dots_comes_back_as_it_was(measurement, field, tags):
    pairs = tuple(sorted(tags.items()))
    source = source_of(name_of(measurement, field, pairs))
    assert _parts(source) == (measurement, field, pairs)


@given(st.text(min_size=1, max_size=10), st.text(min_size=1, max_size=10), st.dictionaries(TEXT, TEXT, max_size=2))
def test_every_name_has_a_point_that_is_written_to_it(measurement, field, tags):
    name = name_of(measurement, field, tags.items())
    assert name_of(*_parts(source_of(name))) == name


@given(st.text(min_size=1, max_size=30))
def test_any_name_has_a_source(name):
    source = source_of(name)
    assert source.as_json().keys() == {"measurement", "field", "tags"}

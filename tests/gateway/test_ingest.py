"""The fast path takes what is in order, and only that; where both paths read a body they agree."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ingest import (
    MAX_METADATA_BYTES,
    Intake,
    decode_batch,
    decode_sample,
    encode_metadata,
    name_problem,
)
from gateway.ingest_checks import check_batch
from storage.models import SeriesPart

NOW_MS = 1_760_000_000_000


def plain(intake: Intake) -> Any:
    """Comparable."""
    return [
        (part.name, part.times.tolist(), part.values.tolist(), part.metadata, list(map(int, origin)))
        for part, origin in zip(intake.parts, intake.origins, strict=True)
    ]


def decoded(body: Any) -> Intake:
    intake = decode_batch(json.dumps(body).encode(), NOW_MS)
    assert intake is not None
    return intake


def test_rows_become_one_part_per_metric() -> None:
    intake = decoded(
        {
            "samples": [
                {"metric_name": "b", "value": 1, "timestamp": 3},
                {"metric_name": "a", "value": 2.5, "timestamp": 2.0004},
                {"metric_name": "b", "value": 3},
                {"metric_name": "a", "value": 4, "timestamp": 1, "metadata": {"x": [1]}},
                {"metric_name": "a", "value": 5, "timestamp": None, "metadata": {"y": 1}},
            ]
        }
    )
    assert plain(intake) == [
        ("b", [3_000, NOW_MS], [1.0, 3.0], None, [0, 2]),
        ("a", [2_000, 1_000, NOW_MS], [2.5, 4.0, 5.0], '{"y":1}', [1, 3, 4]),
    ]
    assert not intake.columns


def test_columns_become_a_part_each() -> None:
    intake = decoded(
        {
            "series": [
                {"metric_name": "a", "timestamps": [1, 2.5], "values": [1, 2], "metadata": {"é": None}},
                {"metric_name": "b", "timestamps": [], "values": []},
            ]
        }
    )
    assert plain(intake) == [("a", [1_000, 2_500], [1.0, 2.0], '{"é":null}', [0, 1]), ("b", [], [], None, [])]
    assert intake.columns


def test_what_leaves_cannot_be_changed() -> None:
    for body in (
        {"samples": [{"metric_name": "a", "value": 1}, {"metric_name": "b", "value": 1}]},
        {"series": [{"metric_name": "a", "timestamps": [1], "values": [1]}]},
    ):
        for part in decoded(body).parts:
            assert part.times.dtype == np.int64
            assert part.values.dtype == np.float64
            for array in (part.times, part.values):
                with pytest.raises(ValueError, match="read-only"):
                    array[0] = 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"samples":[],"series":[]}',
        b'{"samples":[{"metric_name":"a","value":NaN}]}',
        b'{"samples":[{"metric_name":"a","value":1e400}]}',
        b'{"samples":[{"metric_name":"a","value":true}]}',
        b'{"samples":[{"metric_name":"a","value":1,"x":1}]}',
        b'{"samples":[{"metric_name":"a\\u0000","value":1}]}',
        b'{"samples":[{"metric_name":"\\ud800","value":1}]}',
        b'{"samples":[{"metric_name":"\xff","value":1}]}',
        b'{"samples":[{"metric_name":"a","value":1,"timestamp":-1}]}',
        b'{"samples":[{"metric_name":"a","value":1,"timestamp":1760000000000}]}',
        b'{"samples":[{"metric_name":"a","value":1,"metadata":[]}]}',
        b'{"series":[{"metric_name":"a","timestamps":[1],"values":[]}]}',
        b'{"series":[{"metric_name":"a","timestamps":[1],"values":[null]}]}',
        b'{"series":[{"metric_name":"a","timestamps":[1e11],"values":[1]}]}',
        b'{"series":[{"metric_name":" ","timestamps":[1],"values":[1]}]}',
        b'{"samples":[{"metric_name":"a","value":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    ],
)
def test_what_is_not_in_order_is_left_to_the_slow_path(body: bytes) -> None:
    assert decode_batch(body, NOW_MS) is None


def test_a_single_sample() -> None:
    intake = decode_sample(b'{"metric_name":"a","value":1}', NOW_MS)
    assert intake is not None
    assert plain(intake) == [("a", [NOW_MS], [1.0], None, [0])]
    assert decode_sample(b'{"metric_name":"a"}', NOW_MS) is None


@pytest.mark.parametrize("name", ["a", "a b", "é/ü@x.y", "x" * 256, "a,b", "日本"])
def test_names_that_are_taken(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        (" ", "spaces"),
        ("x" * 257, "at most 256 characters, got 257"),
        ("a\nb", "U+000A"),
        ("a\u2028", "U+2028"),
        ("\ud800", "U+D800"),
    ],
)
def test_names_that_are_not(name: str, why: str) -> None:
    problem = name_problem(name)
    assert problem is not None
    assert why in problem


def test_metadata_is_bounded() -> None:
    assert encode_metadata({"a": 1, "b": ["x"]}) == '{"a":1,"b":["x"]}'
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        encode_metadata({"a": "x" * MAX_METADATA_BYTES})
    deep: Any = 1
    for _ in range(20):
        deep = [deep]
    with pytest.raises(ValueError, match="nested deeper"):
        encode_metadata({"a": deep})
    assert encode_metadata({"a": [[1], "[[[[[[[[[[[[[[[[[[", [2]] * 10})
    with pytest.raises(ValueError, match="plain JSON"):
        encode_metadata({"a": "\ud800"})


numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63 - 1),
)
stamps = st.one_of(st.floats(0, 9e9), st.integers(0, 9_000_000_000))
names = st.sampled_from(["a", "b.c", "ü/x", "d" * 256])
metadata = st.none() | st.dictionaries(st.text(max_size=3), st.none() | st.integers(0, 9), max_size=2)
rows = st.lists(
    st.fixed_dictionaries(
        {"metric_name": names, "value": numbers}, optional={"timestamp": st.none() | stamps, "metadata": metadata}
    ),
    max_size=12,
)
columns = st.lists(
    st.lists(st.tuples(stamps, numbers), max_size=5).map(
        lambda pairs: {
            "metric_name": "s",
            "timestamps": [stamp for stamp, _ in pairs],
            "values": [value for _, value in pairs],
        }
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries({"samples": rows}) | st.fixed_dictionaries({"series": columns}))
def test_both_paths_read_the_same(body: dict[str, Any]) -> None:
    text = json.dumps(body).encode()
    quick = decode_batch(text, NOW_MS)
    if quick is None:  # a lone surrogate in metadata, a value past the integers of 64 bits
        return
    slow = check_batch(text, NOW_MS)
    assert slow.rejected == 0
    assert plain(quick) == plain(slow)
    assert quick.columns == slow.columns


def test_parts_are_series_parts() -> None:
    part = decoded({"samples": [{"metric_name": "a", "value": 1}]}).parts[0]
    assert isinstance(part, SeriesPart)
    assert len(part) == 1

"""Every wrong sample is named, every right one beside it is kept, and no bytes raise anything unexpected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ingest import MalformedBodyError, RefusedBodyError, decode_batch, decode_sample
from gateway.ingest_checks import check_batch, check_sample

NOW_MS = 1_760_000_000_000
DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (b'"metric_name":"a","value":NaN', "value: expected a finite number, got NaN"),
        (b'"metric_name":"a","value":-Infinity', "value: expected a finite number, got -Infinity"),
        (b'"metric_name":"a","value":1e400', "value: expected a finite number, got 1e400"),
        (b'"metric_name":"a","value":' + b"9" * 5_000, "value: expected a finite number, got 9999"),
        (b'"metric_name":"a","value":false', "value: expected a finite number, got false"),
        (b'"metric_name":"a","value":null', "value: expected a finite number, got null"),
        (b'"metric_name":"a","value":"3"', 'value: expected a finite number, got the string "3"'),
        (b'"metric_name":"a","value":{}', "value: expected a finite number, got an object"),
        (b'"metric_name":"a","value":' + DEEP, "value: expected a finite number, got an array"),
        (b'"metric_name":"a"', "value: missing"),
        (b'"value":1', "metric_name: missing"),
        (b'"metric_name":7,"value":1', "metric_name: expected a string, got 7"),
        (b'"metric_name":"\\ud800","value":1', "metric_name: character U+D800"),
        (b'"metric_name":"' + b"x" * 10_000 + b'","value":1', "metric_name: expected at most 256 characters"),
        (b'"metric_name":"a","value":1,"unit":"V"', "unit: unknown member"),
        (b'"metric_name":"a","value":1,"timestamp":"now"', "timestamp: expected a finite number"),
        (b'"metric_name":"a","value":1,"timestamp":-5', "timestamp: expected unix seconds, got -5, before 1970"),
        (b'"metric_name":"a","value":1,"timestamp":1760000000000', "timestamp: expected unix seconds, got 17600"),
        (b'"metric_name":"a","value":1,"metadata":3', "metadata: expected an object, got 3"),
        (b'"metric_name":"a","value":1,"metadata":{"x":NaN}', "metadata: expected plain JSON values"),
        (b'"metric_name":"a","value":1,"metadata":{"x":' + DEEP + b"}", "metadata: expected plain JSON values"),
        (b'"metric_name":"a","value":1,"metadata":{"x":"' + b"y" * 5_000 + b'"}', "metadata: expected at most"),
    ],
)
def test_a_wrong_row_is_named_and_its_neighbours_are_kept(members: bytes, message: str) -> None:
    body = b'{"samples":[{"metric_name":"b","value":1},{%s},{"metric_name":"b","value":2}]}' % members
    intake = check_batch(body, NOW_MS)
    assert [(part.name, part.values.tolist()) for part in intake.parts] == [("b", [1.0, 2.0])]
    assert list(intake.origins[0]) == [0, 2]
    assert intake.rejected == 1
    assert intake.errors[0].index == 1
    assert intake.errors[0].message.startswith(message)
    intake.errors[0].message.encode()


WIDE = "9223372036854775808, -9223372036854775809, 1" + "0" * 300
NARROW = "9223372036854775807, -9223372036854775808, 1e19, -9.3e18, 9223372036854775808.0, 1E300"


def test_an_integer_outside_64_bits_is_refused_alone_and_a_float_of_its_size_is_taken() -> None:
    literals = f"{WIDE}, {NARROW}".split(", ")
    said = [f"expected a float or an integer of 64 bits, got {text[:57]}" for text in WIDE.split(", ")]
    rows = ",".join(f'{{"metric_name":"a","value":{text}}}' for text in literals)
    stamps = list(range(len(literals)))
    columns = f'{{"metric_name":"a","timestamps":{stamps},"values":[{", ".join(literals)}]}}'
    for body, member in ((f'{{"samples":[{rows}]}}', "value"), (f'{{"series":[{columns}]}}', "values")):
        assert decode_batch(body.encode(), NOW_MS) is None  # a float cannot tell them apart
        intake = check_batch(body.encode(), NOW_MS)
        assert intake.parts[0].values.tolist() == [float(text) for text in NARROW.split(", ")]
        assert intake.rejected == 3
        for index, (error, reason) in enumerate(zip(intake.errors, said, strict=True)):
            assert error.index == index
            assert error.message.startswith(f"{member}: {reason}")


def test_a_single_integer_outside_64_bits_names_its_member() -> None:
    for decode in (decode_sample, check_sample):
        assert decode(b'{"metric_name":"a","value":9223372036854774784}', NOW_MS) is not None
    body = b'{"metric_name":"a","value":9223372036854775808}'
    assert decode_sample(body, NOW_MS) is None
    with pytest.raises(RefusedBodyError) as caught:
        check_sample(body, NOW_MS)
    assert [pointer for pointer, _ in caught.value.errors] == ["/value"]


def test_a_wide_integer_among_metadata_is_kept_as_a_number() -> None:
    body = b'{"metric_name":"a","value":1,"colour":2,"metadata":{"serial":%d}}' % (10**25)
    with pytest.raises(RefusedBodyError, match="colour"):
        check_sample(body, NOW_MS)
    (part,) = check_sample(body.replace(b'"colour":2,', b""), NOW_MS).parts
    assert part.metadata == '{"serial":1e25}'


def test_a_wrong_point_costs_only_itself() -> None:
    body = {
        "series": [
            {"metric_name": "a", "timestamps": [1, None, 3, 4], "values": [1, 2, None, 4]},
            {"metric_name": "b", "timestamps": [1, 2], "values": [1]},
            {"metric_name": "c", "timestamps": 5, "values": []},
            {"metric_name": "d", "timestamps": [1], "values": [1], "x": 1},
            7,
            {"metric_name": "e", "timestamps": [1], "values": [1]},
        ]
    }
    intake = check_batch(json.dumps(body).encode(), NOW_MS)
    assert [(part.name, part.times.tolist(), part.values.tolist()) for part in intake.parts] == [
        ("a", [1_000, 4_000], [1.0, 4.0]),
        ("e", [1_000], [1.0]),
    ]
    assert list(intake.origins[0]) == [0, 3]
    assert [(error.series, error.index, error.message) for error in intake.errors] == [
        ("a", 1, "timestamps: expected a finite number, got null"),
        ("a", 2, "values: expected a finite number, got null"),
        ("b", 1, "values: expected one per timestamp (2), got 1"),
        ("c", 2, "timestamps: expected an array, got 5"),
        ("d", 3, "x: unknown member"),
        (None, 4, "expected an object, got 7"),
    ]
    assert intake.rejected == 1 + 1 + 2 + 1 + 1 + 1


@pytest.mark.parametrize(
    ("body", "pointers", "said"),
    [
        (b"[]", [""], "expected an object with samples or series, got an array"),
        (b'"x"', [""], 'got the string "x"'),
        (b"{}", [""], "got none"),
        (b'{"samples":[],"series":[]}', [""], "got samples and series"),
        (b'{"samples":{}}', ["/samples"], "samples: expected an array, got an object"),
        (b'{"samples":[],"a/b~":1,"c":2}', ["/a~1b~0", "/c"], "unknown member"),
    ],
)
def test_what_is_no_batch_at_all(body: bytes, pointers: list[str], said: str) -> None:
    with pytest.raises(RefusedBodyError) as caught:
        check_batch(body, NOW_MS)
    assert [pointer for pointer, _ in caught.value.errors] == pointers
    assert said in str(caught.value)


def test_the_list_of_errors_is_bounded_and_the_count_is_not() -> None:
    intake = check_batch(json.dumps({"samples": [{}] * 1_000}).encode(), NOW_MS)
    assert (len(intake.errors), intake.rejected) == (100, 1_000)


def test_a_single_sample_that_is_refused() -> None:
    with pytest.raises(RefusedBodyError) as caught:
        check_sample(b'{"metric_name":"a","value":NaN}', NOW_MS)
    assert caught.value.errors == (("/value", "expected a finite number, got NaN"),)
    assert str(caught.value) == "value: expected a finite number, got NaN"


json_like: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
row_like = st.dictionaries(
    st.sampled_from(["metric_name", "value", "timestamp", "metadata", "timestamps", "values"]), json_like
)
body_like = (
    st.binary(max_size=60)
    | json_like.map(lambda value: json.dumps(value).encode())
    | st.lists(row_like | json_like, max_size=4).map(lambda rows: json.dumps({"samples": rows}).encode())
    | st.lists(row_like | json_like, max_size=4).map(lambda rows: json.dumps({"series": rows}).encode())
)


@settings(max_examples=300, deadline=None)
@given(body_like)
def test_no_bytes_raise_anything_unexpected(body: bytes) -> None:
    for check in (check_batch, check_sample):
        try:
            intake = check(body, NOW_MS)
        except (MalformedBodyError, RefusedBodyError) as error:
            str(error).encode()
            continue
        json.dumps([error.as_json() for error in intake.errors]).encode()
        assert intake.rejected >= len(intake.errors)
        for part in intake.parts:
            assert len(part.times) == len(part.values)

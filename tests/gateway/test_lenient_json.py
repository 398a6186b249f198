"""What is no JSON is named, what is too much for a number or a stack becomes an Oddity in its place."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gateway.ingest import MalformedBodyError
from gateway.lenient_json import MAX_DEPTH, Oddity, WideInteger, load, short


def test_json_is_json() -> None:
    assert load(b'{"a": [1, -2.5e3, "x", null, true]}') == {"a": [1, -2500.0, "x", None, True]}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "-1" + "0" * 5_000])
def test_numbers_that_are_none(text: str) -> None:
    (oddity,) = load(f"[{text}]".encode())
    assert isinstance(oddity, Oddity)
    assert oddity.text.startswith(text[:50])
    assert len(oddity.text) <= 60


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_integers_outside_64_bits_keep_their_text(number: int) -> None:
    (wide,) = load(b"[%d]" % number)
    assert isinstance(wide, WideInteger)
    assert (wide.text, wide) == (str(number), float(number))
    assert load(b"[%d, %d, 1e19]" % (2**63 - 1, -(2**63))) == [2**63 - 1, -(2**63), 1e19]


def test_what_lies_too_deep_is_cut_out_alone() -> None:
    deep = b'["a]\\"", ' + b"[" * 50_000 + b"1" + b"]" * 50_000 + b"]"
    document = load(b'{"deep": ' + deep + b', "next": [[2], "]["]}')
    assert document["next"] == [[2], "]["]
    levels, at = 0, document["deep"][1]
    while isinstance(at, list):
        levels, at = levels + 1, at[0]
    assert isinstance(at, Oddity)
    assert levels == MAX_DEPTH - 2
    assert "nested deeper" in at.text


@pytest.mark.parametrize("shape", ["[[%s]]", "[ [ %s ] ]", '{"a":[%s]}', '[{"a":[[%s],2]}]'])
def test_brackets_in_crowds_and_alone_are_cut_alike(shape: str) -> None:
    before, _, after = shape.partition("%s")
    levels = 50_000  # more than any interpreter's own reader goes down
    text = before * levels + "1" + after * levels
    assert "nested deeper" in leaf_of(load(b'[%s, "next"]' % text.encode())).text


def leaf_of(value: Any) -> Any:
    while isinstance(value, list | dict):
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
    return value


def test_a_megabyte_of_brackets_takes_no_time() -> None:
    began = time.process_time()
    with pytest.raises(MalformedBodyError, match="1000000 brackets"):
        load(b"[" * 1_000_000)
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON at line 1 column 1"),
        (b"{", "not JSON at line 1 column 2"),
        (b'{"a": \n tru}', "not JSON at line 2"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 100_000, "100000 brackets have no partner"),
        (b"]" * 100_000 + b"[" * 100_000, "not JSON at line 1 column 1"),
    ],
)
def test_what_is_no_json(body: bytes, said: str) -> None:
    with pytest.raises(MalformedBodyError, match=said):
        load(body)


def test_short_texts_can_be_sent() -> None:
    assert short("abc") == "abc"
    assert short("\ud800x") == "?x"
    assert len(short("y" * 1_000)) == 60

"""Line protocol: what a body holds, and what is wrong with a line."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest import MAX_ERRORS
from gateway.line_protocol import JOINS, PRECISIONS, read_lines

NOW_MS = 1_760_000_000_000
STAMP = NOW_MS * 1_000_000


def samples(body: str, precision: str = "ns") -> dict[str, list[tuple[int, float]]]:
    lines = read_lines(body.encode(), precision, NOW_MS)
    assert lines.intake.errors == ()
    return {part.name: list(zip(part.times.tolist(), part.values.tolist(), strict=True)) for part in lines.intake.parts}


def why_not(line: str) -> str:
    lines = read_lines(f"{line}\ngood f=1 {STAMP}".encode(), "ns", NOW_MS)
    assert [part.name for part in lines.intake.parts] == ["good.f"]  # the rest is kept
    assert lines.intake.rejected == 1
    (error,) = lines.intake.errors
    assert error.index == 1
    assert lines.texts == {1: line[:100]}
    return error.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-1.5", -1.5), ("+2", 2), (".5", 0.5), ("5.", 5), ("1e3", 1000), ("1.5E-3", 0.0015), ("3i", 3),
        ("-3i", -3), ("9223372036854775807i", 2**63), ("-9223372036854775808i", -(2**63)), ("7u", 7),
        ("18446744073709551615u", 2**64), ("t", 1), ("true", 1), ("TRUE", 1), ("f", 0), ("False", 0),
    ],
)  # fmt: skip
def test_values(text: str, value: float) -> None:
    assert samples(f"m f={text}") == {"m.f": [(NOW_MS, value)]}


@pytest.mark.parametrize(
    "text",
    [
        "nan", "inf", "-Infinity", "1e400", "1_000", "0x10", "1ii", "1.5i", "-1u", "9223372036854775808i",
        "18446744073709551616u", "tRUE", "yes", "one", "1e", "--1", "١",
    ],
)  # fmt: skip
def test_what_is_no_value(text: str) -> None:
    assert "f" in why_not(f"m f={text}")


@pytest.mark.parametrize(
    ("precision", "stamp"),
    [
        ("ns", STAMP), ("n", STAMP + 999_999), ("us", NOW_MS * 1000), ("u", NOW_MS * 1000), ("µ", NOW_MS * 1000),
        ("ms", NOW_MS), ("s", NOW_MS // 1000), ("m", NOW_MS // 60_000), ("h", NOW_MS // 3_600_000),
    ],
)  # fmt: skip
def test_precisions(precision: str, stamp: int) -> None:
    unit_ms = max(1, PRECISIONS[precision][0])
    ((at_ms, _),) = samples(f"m f=1 {stamp}", precision)["m.f"]
    assert NOW_MS - unit_ms < at_ms <= NOW_MS
    assert samples("m f=1", precision)["m.f"] == [(NOW_MS, 1.0)]


def test_several_fields_tags_and_lines() -> None:
    body = f"# a comment\n\ncpu,host=pi,core=0 idle=90,busy=10i {STAMP}\r\n"
    body += f"cpu,core=0,host=pi idle=91 {STAMP + 10**9}\n  m value=1"
    assert samples(body) == {
        "cpu.idle{core=0;host=pi}": [(NOW_MS, 90.0), (NOW_MS + 1000, 91.0)],
        "cpu.busy{core=0;host=pi}": [(NOW_MS, 10.0)],
        "m": [(NOW_MS, 1.0)],
    }


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (r"a\ b\,c f=1", "a b%2Cc.f"),
        (r"m,t\ a\=g=v\ a\,l f=1", "m.f{t a%3Dg=v a%2Cl}"),
        (r"m f\ i\=e\,ld=1", "m.f i=e%2Cld"),
        (r"m\x f=1", r"m\x.f"),
        ("m=x f=1", "m=x.f"),
        ("é,ü=ö ä=1", "é.ä{ü=ö}"),
        ("m,a=1   f=1   ", "m.f{a=1}"),
    ],
)
def test_escapes(line: str, name: str) -> None:
    assert list(samples(line)) == [name]


@pytest.mark.parametrize("text", ['""', '"a b,c=d"', r'"\""', r'"a\\"', '"two\nlines"', '"x=1 5"', '"#"'])
def test_strings_are_skipped_and_counted(text: str) -> None:
    lines = read_lines(f"m s={text},f=2 {STAMP}\nn s={text}\no f=3".encode(), "ns", NOW_MS)
    assert [(part.name, part.values.tolist()) for part in lines.intake.parts] == [("m.f", [2.0]), ("o.f", [3.0])]
    assert (lines.skipped, lines.intake.rejected) == (2, 0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("m", "missing fields"),
        ("m ", "missing fields"),
        ("m 5", "missing fields"),
        ("m,a=1", "missing fields"),
        (",a=1 f=1", "missing measurement"),
        ("m, f=1", "missing tag key"),
        ("m,=1 f=1", "missing tag key"),
        ("m,a= f=1", "missing tag value"),
        ("m,a f=1", "missing tag value"),
        ("m,a=1,a=2 f=1", "duplicate tags"),
        ("m f=", "invalid field format"),
        ("m =1", "invalid field format"),
        ("m f=1,", "invalid field format"),
        ("m f=1,,g=2", "invalid field format"),
        ('m f="a', "unbalanced quotes"),
        ("m f=1 x", "bad timestamp"),
        ("m f=1 1.5", "bad timestamp"),
        ("m f=1 -1", "outside"),
        ("m f=1 99999999999999999999", "time out of range"),
        ("m f=1 9999999999999999999", "outside"),
        ("m\x00 f=1", "metric name"),
        ("x" * 300 + " f=1", "metric name"),
        ("m f=1 5 6", ""),
    ],
)
def test_what_is_wrong_with_a_line(line: str, reason: str) -> None:
    assert reason in why_not(line)


def test_a_bad_field_refuses_its_whole_line() -> None:
    lines = read_lines(b"m good=1,bad=x", "ns", NOW_MS)
    assert (lines.intake.parts, lines.intake.rejected) == ((), 1)


def test_errors_are_listed_up_to_a_bound_and_counted_all() -> None:
    lines = read_lines(b"bad\n" * 500 + b"m f=1", "ns", NOW_MS)
    assert (len(lines.intake.errors), lines.intake.rejected) == (MAX_ERRORS, 500)


def test_origins_are_lines() -> None:
    intake = read_lines(b"a f=1\nb f=1\na f=2", "ns", NOW_MS).intake
    assert [(part.name, list(origin)) for part, origin in zip(intake.parts, intake.origins, strict=True)] == [
        ("a.f", [1, 3]),
        ("b.f", [2]),
    ]


def test_not_utf8() -> None:
    with pytest.raises(UnicodeDecodeError):
        read_lines(b"m f=1\n\xff f=1", "ns", NOW_MS)


@pytest.mark.parametrize(
    "evil",
    [
        b"a" * 500_000, b"a," * 250_000, b"a,b=" * 100_000, b'"' * 500_000, b"\\" * 500_000, b'a f="x\n' * 50_000,
        b'a f="' + b'\n"' * 100_000, b"a " + b"f=1," * 100_000, b"a f=1" + b" " * 500_000 + b"x", b"a,b=c\\" * 80_000,
    ],
)  # fmt: skip
def test_reading_is_linear(evil: bytes) -> None:
    began = time.process_time()
    read_lines(evil, "ns", NOW_MS)
    assert time.process_time() - began < 8
    assert JOINS <= 1_000


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    lines = read_lines(text.encode(errors="replace"), "ns", NOW_MS)
    assert lines.intake.rejected >= len(lines.intake.errors)

"""Hostile bodies on the real process: 4xx naming the member, the rest of the batch kept, never 5xx."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.system
BATCH = "/api/analytics/metrics/batch"
GOOD = '{"metric_name": "good", "value": 1.5}'


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, str]]:
    """name -> (a bad sample as JSON text, what its message must name)"""
    return {
        "nan": ('{"metric_name": "m", "value": NaN}', "value"),
        "infinity": ('{"metric_name": "m", "value": -Infinity}', "value"),
        "1e400": ('{"metric_name": "m", "value": 1e400}', "value"),
        "5000 digits": ('{"metric_name": "m", "value": %s}' % ("9" * 5000), "value"),
        "2**63": ('{"metric_name": "m", "value": 9223372036854775808}', "value"),
        "bool": ('{"metric_name": "m", "value": true}', "value"),
        "text": ('{"metric_name": "m", "value": "12"}', "value"),
        "null": ('{"metric_name": "m", "value": null}', "value"),
        "no value": ('{"metric_name": "m"}', "value"),
        "no name": ('{"value": 1}', "metric_name"),
        "surrogate": ('{"metric_name": "\\ud800", "value": 1}', "metric_name"),
        "long name": ('{"metric_name": "%s", "value": 1}' % ("x" * 10_000), "metric_name"),
        "empty name": ('{"metric_name": "", "value": 1}', "metric_name"),
        "unknown member": ('{"metric_name": "m", "value": 1, "colour": 2}', "colour"),
        "future": ('{"metric_name": "m", "value": 1, "timestamp": 99999999999}', "timestamp"),
        "2**63 time": ('{"metric_name": "m", "value": 1, "timestamp": 9223372036854775808}', "timestamp"),
        "metadata": ('{"metric_name": "m", "value": 1, "metadata": [1]}', "metadata"),
        "not an object": ("7", ""),
    }


def test_each_bad_sample_is_refused_alone(start, rows):
    service = start()
    for name, (bad, member) in rows.items():
        answer = service.post(BATCH, f'{{"samples": [{GOOD}, {bad}, {GOOD}]}}'.encode())
        assert answer.status == 200, (name, answer.body)
        assert answer.json["rejected"] == 1, name
        assert answer.json["accepted"] + answer.json["duplicates"] == 2, name
        (error,) = answer.json["errors"]
        assert error["index"] == 1
        assert member in error["message"], (name, error)
        alone = service.post("/api/analytics/metrics", bad.encode())
        assert 400 <= alone.status < 500, (name, alone.body)
        assert alone.headers["content-type"].startswith("application/problem+json")
        assert isinstance(alone.json["detail"], str)
        assert member in json.dumps(alone.json), (name, alone.json)


def test_a_value_of_2_to_the_63_is_refused_as_an_integer_and_taken_as_a_float(start):
    service = start()
    answer = service.post("/api/analytics/metrics", b'{"metric_name": "m", "value": 9223372036854775808}')
    assert answer.status == 422
    assert [each["pointer"] for each in answer.json["errors"]] == ["/value"]
    column = b'{"metric_name": "m", "timestamps": [1, 2, 3], "values": [9223372036854775808, 1e19, 7]}'
    answer = service.post(BATCH, b'{"series": [%s]}' % column)
    assert (answer.status, answer.json["accepted"], answer.json["rejected"]) == (200, 2, 1)
    (error,) = answer.json["errors"]
    assert (error["series"], error["index"]) == ("m", 0)
    assert error["message"].startswith("values: ")
    data = service.get("/api/analytics/metrics/m/data?resolution=raw&start=0").json["data_points"]
    assert [each["value"] for each in data] == [1e19, 7.0]


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"", {400}),
        (b"{", {400}),
        (b"\xff\xfe", {400}),
        (b"[" * 100_000, {400}),
        (b'{"samples": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", {400, 422}),
        (b'{"samples": [' + b'{"metadata":' * 5_000 + b"1" + b"}" * 5_000 + b"]}", {400, 422}),
        (b'{"samples": []}', {200, 422}),
        (b'{"rows": []}', {422}),
        (b"7", {422}),
        (b'{"samples": 7}', {422}),
        (b'{"series": [{"metric_name": "m", "timestamps": [1], "values": [1, 2]}]}', {422}),
        (b'{"samples": [' + b" " * 2_000_000 + b"]}", {413}),
    ],
)
def test_a_body_that_is_no_batch(start, body, statuses):
    service = start()
    answer = service.post(BATCH, body)
    assert answer.status in statuses, answer.body[:300]
    if answer.status != 200:
        assert isinstance(answer.json["detail"], str)
    assert service.get("/readyz").status == 200


def test_a_hundred_thousand_new_series(start):
    service = start(MAX_METRICS="500")
    accepted = rejected = 0
    for first in range(0, 100_000, 5_000):
        samples = [{"metric_name": f"s{n}", "value": n} for n in range(first, first + 5_000)]
        answer = service.post(BATCH, {"samples": samples})
        assert answer.status in (200, 429), answer.body[:300]
        body = answer.json
        accepted += body["accepted"]
        rejected += body["rejected"]
    assert (accepted, rejected) == (500, 99_500)
    one = service.post("/api/analytics/metrics", {"metric_name": "another", "value": 1})
    assert one.status == 429
    assert service.post("/api/analytics/metrics", {"metric_name": "s1", "value": 2}).status == 200
    assert service.get("/api/analytics/status").json["metrics_tracked"] == 500

"""Query strings become models; what is wrong with them is named."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from gateway.problems import Problem
from gateway.routes import json_response, read_query
from gateway.schemas.aggregation import AggregationQuery
from gateway.schemas.historical import HistoricalQuery
from gateway.schemas.insights import InsightsQuery
from gateway.schemas.trends import TrendsQuery


@pytest.mark.parametrize(
    "pairs",
    [
        [("metrics", "a,b")],
        [("metrics", "a"), ("metrics", "b")],
        [("metrics", " a , ,b,"), ("metrics", "a"), ("metrics", "")],
    ],
)
def test_lists_travel_either_way(pairs: list[tuple[str, str]]) -> None:
    query = read_query(TrendsQuery, MultiDict(pairs))
    assert isinstance(query, TrendsQuery)
    assert query.metrics == ["a", "b"]


def test_defaults_unknown_and_empty_ones() -> None:
    query = read_query(TrendsQuery, MultiDict([("metrics", ""), ("resolution", " "), ("unknown", "x")]))
    assert query == TrendsQuery()
    asked = read_query(HistoricalQuery, MultiDict([("include_predictions", "false"), ("time_window_hours", "720")]))
    assert asked == HistoricalQuery(include_predictions=False, time_window_hours=720)


@pytest.mark.parametrize(
    ("pairs", "parameter"),
    [
        ([("limit", "0")], "limit"),
        ([("limit", "9e9")], "limit"),
        ([("limit", "1.5")], "limit"),
        ([("min_severity", "worst")], "min_severity"),
        ([("categories", "cost,luck")], "categories"),
    ],
)
def test_bad_ones_are_named(pairs: list[tuple[str, str]], parameter: str) -> None:
    with pytest.raises(Problem) as caught:
        read_query(InsightsQuery, MultiDict(pairs))
    assert caught.value.status == 422
    assert [error["parameter"] for error in caught.value.errors] == [parameter]
    assert caught.value.detail.startswith(f"{parameter}: ")


def test_all_bad_ones_are_named_at_once() -> None:
    with pytest.raises(Problem) as caught:
        read_query(TrendsQuery, MultiDict([("time_window_hours", "721"), ("resolution", "2h")]))
    assert [error["parameter"] for error in caught.value.errors] == ["time_window_hours", "resolution"]


def test_windows_are_a_closed_list() -> None:
    assert read_query(AggregationQuery, MultiDict([("aggregation_windows", "1h,1w")])) == AggregationQuery(
        aggregation_windows=["1h", "1w"]
    )
    with pytest.raises(Problem):
        read_query(AggregationQuery, MultiDict([("aggregation_windows", "2y")]))


async def test_answers_are_encoded_once() -> None:
    response = json_response({"a": 1.5}, 201)
    assert (response.status_code, await response.get_data(), response.mimetype) == (
        201,
        b'{"a":1.5}',
        "application/json",
    )

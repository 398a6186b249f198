"""The document is whole: every route, every parameter, every status, and examples that are true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.app import ROUTES
from gateway.openapi import build_document
from gateway.routes import Route

DESCRIBED = [route for route in ROUTES if route.described]


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(json.dumps(build_document(ROUTES)))


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


def test_every_route_is_there(document: Any) -> None:
    told = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert told == {(route.method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)) for route in DESCRIBED}


def test_the_contract_is_there(document: Any) -> None:
    for path in [
        "trends",
        "insights",
        "historical",
        "aggregation",
        "metrics",
        "metrics/batch",
        "metrics/{name}/data",
        "status",
        "health",
        "insights/generate",
        "features",
        "features/{flag}",
    ]:
        assert f"/api/analytics/{path}" in document["paths"]
    for path in ("livez", "readyz", "healthz", "metrics", "openapi.json", "docs"):
        assert f"/{path}" in document["paths"]
    for name in [
        "PerformanceTrendsResponse",
        "SystemInsightsResponse",
        "MetricTrendData",
        "TrendsSummary",
        "PerformanceAlert",
        "InsightsSummary",
        "ActionableRecommendation",
        "HistoricalAnalysisResponse",
        "MetricsAggregationResponse",
        "CustomMetricRequest",
        "ProblemDetails",
    ]:
        assert name in document["components"]["schemas"]


def test_operation_ids_are_unique(document: Any) -> None:
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids)


def test_references_lead_somewhere(document: Any) -> None:
    for each in walk(document):
        if isinstance(reference := each.get("$ref"), str):
            assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_path_parameters_are_declared(document: Any) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            declared = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))
            assert all(each["description"] for each in operation["parameters"])


@pytest.mark.parametrize("route", DESCRIBED, ids=lambda route: route.name)
def test_examples_are_true(route: Route) -> None:
    for status, answer in route.answers().items():
        assert answer.description
        if answer.model is not None and answer.example is not None:
            answer.model.model_validate(answer.example)
        elif answer.model is not None:
            assert status == 503, "an answer without an example"
    for example in route.body_examples.values():
        assert any(_fits(body, example) for body in route.bodies())


def _fits(model: Any, example: Any) -> bool:
    try:
        model.model_validate(example)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("route", DESCRIBED, ids=lambda route: route.name)
def test_every_status_that_machinery_adds_is_told(route: Route) -> None:
    assert 500 in route.answers()
    if route.gated or "<" in route.path:
        assert 404 in route.answers()
    if route.query is not None:
        assert 422 in route.answers()
    if route.bodies():
        assert {400, 408, 413, 415, 422} <= route.answers().keys()


def test_optional_parameters_are_not_null(document: Any) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation["parameters"]:
                assert "anyOf" not in parameter["schema"]
                assert parameter["schema"].get("default", "") is not None

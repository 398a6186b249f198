"""KPIs as people define them."""

from __future__ import annotations

import pytest

from analytics.catalogue import Catalogue, MetricSpec
from analytics.kpi import Call, KpiError
from analytics.kpi_catalogue import make_kpi, metric_of, parse_kpis

CATALOGUE = Catalogue(
    [
        MetricSpec(pattern="battery.*", role="battery", unit="V"),
        MetricSpec(pattern="pump.on", kind="state"),
        MetricSpec(pattern="a.*", role="mixed", unit="V"),
        MetricSpec(pattern="b.*", role="mixed", unit="A"),
    ]
)
BODY = {"name": "n", "expression": 'avg("role:battery", "1h")'}


def test_its_unit_is_worked_out_or_checked() -> None:
    assert make_kpi("k", BODY, CATALOGUE).unit == "V"
    assert make_kpi("k", {**BODY, "unit": "V"}, CATALOGUE).unit == "V"
    assert make_kpi("k", {"name": "n", "expression": 'avg("x", "1h")', "unit": "m"}, CATALOGUE).unit == "m"
    assert make_kpi("k", {"name": "n", "expression": 'avg("pump.on", "1h")'}, CATALOGUE).unit == ""
    assert make_kpi("k", {"name": "n", "expression": 'avg("role:mixed", "1h")'}, CATALOGUE).unit is None


@pytest.mark.parametrize(
    ("id_", "body", "named"),
    [
        ("K", BODY, "id"),
        ("k", {**BODY, "unit": "A"}, "in V, not in A"),
        ("k", {**BODY, "expression": 'avg("role:nothing", "1h")'}, "no such role"),
        ("k", {**BODY, "expression": 'avg("kpi.other", "1h")'}, "made of KPIs"),
        ("k", {**BODY, "target_low": 2, "target_high": 1}, "target_low"),
    ],
)
def test_what_is_refused(id_: str, body: dict, named: str) -> None:
    with pytest.raises(KpiError, match=named):
        make_kpi(id_, body, CATALOGUE)


def test_targets() -> None:
    kpi = make_kpi("k", {**BODY, "target_low": 1, "target_high": 2}, CATALOGUE)
    assert [kpi.meets_target(value) for value in (0.9, 1, 2, 2.1, None)] == [False, True, True, False, None]
    assert make_kpi("k", BODY, CATALOGUE).meets_target(5) is None
    assert kpi.metric == "kpi.k"


def test_a_role_is_the_first_metric_of_it() -> None:
    call = Call("avg", "role:battery", "1h")
    assert metric_of(call, ["z", "battery.b", "battery.a"], CATALOGUE) == "battery.a"
    assert metric_of(call, ["z"], CATALOGUE) is None
    assert metric_of(Call("avg", "z", "1h"), [], CATALOGUE) == "z"


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({}, "kpis"),
        ({"kpis": {}}, "kpis"),
        ({"kpis": [1]}, "kpis\\[0\\]"),
        ({"kpis": [{"id": "a", "name": "n"}]}, "expression"),
        ({"kpis": [{"id": "a", "name": "n", "expression": "e", "colour": 1}]}, "colour"),
        ({"kpis": [{"id": "a", "name": "n", "expression": "e", "target_low": "x"}]}, "target_low"),
    ],
)
def test_a_file_that_is_wrong_is_named(document: dict, named: str) -> None:
    with pytest.raises(KpiError, match=named):
        parse_kpis(document)

"""The text format, version 0.0.4."""

from __future__ import annotations

from gateway.prometheus import Family, one, render


def test_families_as_text() -> None:
    text = render(
        [
            one("ready", "gauge", "A\nhelp \\ text", True),
            Family("actor_state", "gauge", "x", (({"actor": 'a"\n\\'}, 0), ({"actor": "b"}, 1.5))),
            one("unknown", "gauge", "left out", None),
            one("large_total", "counter", "exact", 10**15),
        ]
    )
    assert text == (
        "# HELP coachiq_analytics_ready A\\nhelp \\\\ text\n"
        "# TYPE coachiq_analytics_ready gauge\n"
        "coachiq_analytics_ready 1\n"
        "# HELP coachiq_analytics_actor_state x\n"
        "# TYPE coachiq_analytics_actor_state gauge\n"
        'coachiq_analytics_actor_state{actor="a\\"\\n\\\\"} 0\n'
        'coachiq_analytics_actor_state{actor="b"} 1.5\n'
        "# HELP coachiq_analytics_large_total exact\n"
        "# TYPE coachiq_analytics_large_total counter\n"
        "coachiq_analytics_large_total 1000000000000000\n"
    )

"""What an open insight advises that can be done at the press of a button, and to which entity.

Built from the server's own parts alone: the insight's action names a template and the role of an entity (from
conf/rules.yaml), the core says which entities there are. The client only ever sends the id of a recommendation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from analytics.action_risk import TEMPLATES, Risk, Template, consequence, is_so, risk
from analytics.records import Insight

from .core import Entity

_WORDS: Final = re.compile(r"[^a-z0-9]+")


class Recommendation(Struct, frozen=True):
    recommendation_id: str  # insight, place among its actions, entity
    insight: Insight
    text: str
    template: Template
    entity: Entity
    risk: Risk
    consequence: str


def recommendations(insights: Iterable[Insight], entities: Iterable[Entity]) -> list[Recommendation]:
    """Everything that can be offered as a button: red never is, nor what is so already."""
    there = list(entities)
    found = []
    for insight in insights:
        for place, action in enumerate(insight.actions):
            template = TEMPLATES.get(getattr(action, "template", None) or "")
            role = getattr(action, "entity_role", None)
            if template is None or not role:
                continue
            for entity in there:
                if not plays(entity, role) or is_so(template, entity.state):
                    continue  # what is done already needs no button
                class_ = risk(template, role, entity.entity_id, entity.name, entity.kind)
                if class_ != "red":
                    id_ = f"{insight.insight_id}.{place}.{entity.entity_id}"
                    words = consequence(template, entity.name, class_)
                    found.append(Recommendation(id_, insight, action.text, template, entity, class_, words))
    return found


def plays(entity: Entity, role: str) -> bool:
    """Whether every word of the role (`water_pump`) is in the entity's id, name or kind."""
    text = f" {_WORDS.sub(' ', f'{entity.entity_id} {entity.name} {entity.kind}'.lower())} "
    return all(f" {word}" in text for word in _WORDS.sub(" ", role.lower()).split())

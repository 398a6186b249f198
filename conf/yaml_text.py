"""What yaml says. Imported only when there is some to be read: PyYAML takes longer to import than all of conf/."""

from __future__ import annotations

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a build of PyYAML without libyaml: the same result, slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


def parse_yaml(text: str) -> object:
    """The document in plain types. Raises ValueError that names line and column."""
    try:
        document: object = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(_one_line(error)) from error
    return document


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = " ".join(str(getattr(error, "problem", None) or "not yaml").split())
    return f"{problem} at line {mark.line + 1} column {mark.column + 1}" if mark else problem

"""KPIs: named expressions over metrics and windows, as `integral("role:battery_current", "night")`.

Owns the language. An expression is parsed by Python's own parser and then walked over an allow-list: numbers, + - * /,
signs, and calls of FUNCTIONS on a metric's name and a window. Nothing is ever executed as Python: there are no names,
attributes, subscripts, powers, comparisons or comprehensions. Promises
- parsing takes at most MAX_LENGTH characters and MAX_NODES nodes, reads at most MAX_READS spans of MAX_WINDOW_MS each,
  so evaluating is bounded before it begins; whatever is not allowed is named in a KpiError;
- units are worked out beside the numbers: volts are not added to degrees, and a KPI that says it is in % has to be;
- a value that can't be known (no samples, division by zero) is None, never a wrong number.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

from msgspec import Struct

from .kpi_functions import FUNCTIONS, Reading
from .local_time import DAY_MS, HOUR_MS, LocalTime

MAX_LENGTH: Final = 500
MAX_NODES: Final = 80
MAX_DEPTH: Final = 20
MAX_READS: Final = 8
MAX_WINDOW_MS: Final = 31 * DAY_MS
NIGHT_FROM_MS: Final = 22 * HOUR_MS
NIGHT_TO_MS: Final = 6 * HOUR_MS
_DURATION: Final = re.compile(r"([0-9]{1,4})(m|h|d|w)")
_UNIT_MS: Final = {"m": 60_000, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_WORDS: Final = ("today", "yesterday", "night")
_PRODUCTS: Final = {frozenset({"V", "A"}): "W", frozenset({"h", "A"}): "Ah", frozenset({"h", "W"}): "Wh"}

Operator = Literal["+", "-", "*", "/"]


class KpiError(ValueError):
    """The expression can't be used; `str()` says what is wrong and where."""


class Number(Struct, frozen=True):
    value: float


class Call(Struct, frozen=True):
    """`metric`: a name, or "role:" and a role. `limit`: of time_above and its like, in the metric's unit."""

    function: str
    metric: str
    window: str
    limit: float | None = None


class Binary(Struct, frozen=True):
    operator: Operator
    left: Node
    right: Node


Node = Number | Call | Binary

_OPERATORS: Final[Mapping[type[ast.operator], Operator]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def parse(text: str) -> Node:
    """Raises KpiError."""
    if len(text) > MAX_LENGTH:
        raise KpiError(f"longer than {MAX_LENGTH} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" at character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        raise KpiError(f"not an expression{where}") from error
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise KpiError("too long: split it in two")
    node = _node(tree.body, 0)
    if len(calls(node)) > MAX_READS:
        raise KpiError(f"more than {MAX_READS} spans of metrics")
    if not calls(node):
        raise KpiError("no metric in it")
    return node


def calls(node: Node) -> list[Call]:
    """Every call, each once, in order."""
    match node:
        case Call():
            return [node]
        case Binary(_, left, right):
            return list(dict.fromkeys((*calls(left), *calls(right))))
        case _:
            return []


def span(window: str, now_ms: int, local: LocalTime) -> tuple[int, int]:
    """[start, end) of a window at `now_ms`. today: since midnight; night: the last whole one, 22:00 to 6:00."""
    if window not in _WORDS:
        return now_ms - window_ms(window), now_ms + 1
    wall_ms = now_ms + local.offset_ms(now_ms)
    midnight = wall_ms - wall_ms % DAY_MS
    if window == "today":
        return _unwall(midnight, local), now_ms + 1
    if window == "yesterday":
        return _unwall(midnight - DAY_MS, local), _unwall(midnight, local)
    end = midnight + NIGHT_TO_MS
    if wall_ms < end:
        end -= DAY_MS
    return _unwall(end - NIGHT_TO_MS - (DAY_MS - NIGHT_FROM_MS), local), _unwall(end, local)


def window_ms(window: str) -> int:
    """The length of a window like 24h; of a word, the longest it can be. Raises KpiError."""
    if window in _WORDS:
        return DAY_MS + HOUR_MS
    found = _DURATION.fullmatch(window)
    length = int(found[1]) * _UNIT_MS[found[2]] if found else 0
    if not 0 < length <= MAX_WINDOW_MS:
        raise KpiError(
            f"window {window[:20]!r}: expected something like 30m, 24h, 7d or {', '.join(_WORDS)}, up to 31d"
        )
    return length


def evaluate(node: Node, readings: Mapping[Call, Reading | None]) -> float | None:
    """The value; None where it can't be known. `readings`: the samples of each call's window."""
    match node:
        case Number(value):
            return value
        case Call(function, limit=limit):
            reading = readings.get(node)
            result = None if reading is None else FUNCTIONS[function].compute(reading, limit)
        case Binary(operator, left, right):
            a, b = evaluate(left, readings), evaluate(right, readings)
            if a is None or b is None or (operator == "/" and b == 0):
                return None
            result = {"+": a + b, "-": a - b, "*": a * b}[operator] if operator != "/" else a / b
    return result if result is not None and math.isfinite(result) else None


def unit_of(node: Node, unit: Callable[[str], str | None]) -> str | None:
    """The unit of the result; "" is a plain number, None unknown. `unit`: a metric's. Raises KpiError."""
    match node:
        case Number():
            return ""
        case Call(function, metric):
            return FUNCTIONS[function].unit(unit(metric))
        case Binary(operator, left, right):
            return _combined(operator, unit_of(left, unit), unit_of(right, unit))


def _combined(operator: Operator, a: str | None, b: str | None) -> str | None:
    if operator in "+-":
        if a and b and a != b:
            raise KpiError(f"{a} {operator} {b}: the units differ")
        return a or b if a is not None and b is not None else None
    if a is None or b is None:
        return None
    if operator == "*":
        return _PRODUCTS.get(frozenset({a, b}), f"{a}·{b}") if a and b else a or b
    if not b:
        return a
    return "" if a == b else f"{a or '1'}/{b}"


def _node(tree: ast.expr, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise KpiError("nested too deeply")
    match tree:
        case ast.Constant(value) if isinstance(value, int | float) and not isinstance(value, bool):
            return Number(_finite(value))
        case ast.UnaryOp(ast.USub(), operand):
            return Binary("-", Number(0.0), _node(operand, depth + 1))
        case ast.UnaryOp(ast.UAdd(), operand):
            return _node(operand, depth + 1)
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            return Binary(_OPERATORS[type(op)], _node(left, depth + 1), _node(right, depth + 1))
        case ast.Call(ast.Name(function), arguments, keywords):
            return _call(function, arguments, bool(keywords))
    raise KpiError(f"{type(tree).__name__} at character {tree.col_offset + 1}: only numbers, + - * / and calls of "
                   f"{', '.join(FUNCTIONS)}")  # fmt: skip


def _call(function: str, arguments: list[ast.expr], keywords: bool) -> Call:
    known = FUNCTIONS.get(function)
    if known is None:
        raise KpiError(f"{function[:40]}: there is no such function; there are {', '.join(FUNCTIONS)}")
    values = [each.value if isinstance(each, ast.Constant) else None for each in arguments]
    names = ("metric", "limit", "window") if known.has_limit else ("metric", "window")
    if keywords or len(values) != len(names):
        raise KpiError(f"{function} takes {', '.join(names)}")
    metric, window, limit = values[0], values[-1], None
    if not isinstance(metric, str) or not 0 < len(metric) <= 256:
        raise KpiError(f"{function}: the metric must be a name in quotation marks")
    if not isinstance(window, str):
        raise KpiError(f'{function}: the window must be a text, as "24h"')
    window_ms(window)
    if known.has_limit:
        if isinstance(values[1], bool) or not isinstance(values[1], int | float):
            raise KpiError(f"{function}: the limit must be a number")
        limit = _finite(values[1])
    return Call(function, metric, window, limit)


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise KpiError("a number is too large")
    return number


def _unwall(wall_ms: int, local: LocalTime) -> int:
    """The moment at which the clock shows `wall_ms`."""
    guess = wall_ms - local.offset_ms(wall_ms)
    return wall_ms - local.offset_ms(guess)

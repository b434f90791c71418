"""Expressions of metrics: SQL over one row, checked before it is trusted, so that a typo is found by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import polars as pl

from scoring.facts import ColumnType
from scoring.refused import Refused

POLARS: dict[ColumnType, pl.DataType] = {
    "text": pl.String(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "time": pl.Int64(),
    "day": pl.Int64(),
    "money": pl.String(),
    "person": pl.Int64(),
}

FUNCTIONS: tuple[str, ...] = (
    "ABS", "CEIL", "COALESCE", "ENDS_WITH", "FLOOR", "GREATEST", "IF", "IFNULL", "LEAST", "LENGTH", "LOWER",
    "MOD", "NULLIF", "ROUND", "SIGN", "STARTS_WITH", "UPPER",
)  # fmt: skip
"""What an expression may call, besides CASE, CAST, IN, BETWEEN, LIKE, IS NULL and arithmetic."""

_SYNTAX = frozenset(
    [
        "AND",
        "AS",
        "BETWEEN",
        "BIGINT",
        "BOOLEAN",
        "CASE",
        "CAST",
        "DISTINCT",
        "DOUBLE",
        "ELSE",
        "END",
        "ESCAPE",
        "FALSE",
        "FLOAT",
        "FROM",
        "ILIKE",
        "IN",
        "INT",
        "INTEGER",
        "IS",
        "LIKE",
        "NOT",
        "NULL",
        "OR",
        "PRECISION",
        "REAL",
        "TEXT",
        "THEN",
        "TRUE",
        "VARCHAR",
        "WHEN",
    ]
)
_AGGREGATES = frozenset(
    [
        "SUM",
        "AVG",
        "COUNT",
        "MIN",
        "MAX",
        "MEDIAN",
        "STDDEV",
        "STDEV",
        "VARIANCE",
        "VAR",
        "FIRST",
        "LAST",
        "QUANTILE",
        "QUANTILE_CONT",
        "QUANTILE_DISC",
        "CORR",
        "COVAR",
        "ARRAY_AGG",
        "STRING_AGG",
    ]
)
_WINDOWS = frozenset(
    ["OVER", "PARTITION", "ROW_NUMBER", "RANK", "DENSE_RANK", "LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "NTH_VALUE"]
)
_CLOCK = frozenset(["NOW", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "TODAY"])
_QUERY = frozenset(["SELECT", "EXISTS", "WITH", "UNION", "JOIN", "WHERE", "HAVING", "ALL", "ANY", "SOME"])

_WORD = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[A-Za-z_][A-Za-z_0-9]*|\S")
_CALLS: dict[str, tuple[str, ...] | None] = {
    "Abs": None, "Ceil": None, "Coalesce": None, "Floor": None, "MaxHorizontal": None, "MinHorizontal": None,
    "Sign": None, "FillNull": None, "Negate": None,
    "Boolean": ("IsNull", "IsNotNull", "Not"),
    "StringExpr": ("Lowercase", "Uppercase", "Contains", "StartsWith", "EndsWith", "LenChars"),
    "Sql": ("Binary", "IsIn", "Round", "ToFloat"),
}  # fmt: skip


@lru_cache(maxsize=2048)
def parse(sql: str) -> pl.Expr:
    """The expression for SQL text that `check` has passed."""
    return pl.sql_expr(sql)


def check(sql: str, schema: Mapping[str, ColumnType], where: str, *, boolean: bool = False) -> frozenset[str]:
    """The columns an expression reads, once it is known to be one over a single row.

    `where` names metric and side in what is refused. Raises Refused for aggregates, windows, subqueries,
    the clock, unknown columns or functions, unguarded divisions and results that are not a number
    (`boolean`: not true or false).
    """
    _check_words(sql, schema, where)
    try:
        expression = parse(sql)
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise Refused(f"{where}: {sql!r} is not an expression ({_short(error)}).", "Write SQL over one row.") from None
    tree = json.loads(expression.meta.serialize(format="json"))
    used = frozenset(_walk(tree, sql, where))
    for name in sorted(used - set(schema)):
        raise _unknown("column", name, schema, where)
    empty = pl.DataFrame(schema={name: POLARS[schema[name]] for name in used} or {"_": pl.Int8})
    try:
        found = empty.select(expression.alias("value")).schema["value"]
    except pl.exceptions.PolarsError as error:
        raise Refused(f"{where}: {sql!r} does not fit its columns ({_short(error)}).", "Mind their types.") from None
    if boolean and found != pl.Boolean:
        raise Refused(f"{where}: {sql!r} is {_kind(found)}.", "A condition must be true or false.")
    if not (found.is_numeric() or found == pl.Boolean):
        raise Refused(f"{where}: {sql!r} is {_kind(found)}.", "A value must be a number, or true or false.")
    return used


def _check_words(sql: str, schema: Mapping[str, ColumnType], where: str) -> None:
    words = _WORD.findall(sql)
    if not words or len(sql) > 2000:
        raise Refused(f"{where}: the expression is empty or longer than 2,000 characters.", "Give SQL over one row.")
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if not (word[0].isalpha() or word[0] == "_"):
            continue
        name = word.upper()
        if word in schema and following != "(":
            continue
        if name in _CLOCK:
            raise Refused(f"{where}: {name} is the clock, and a value must not depend on when it is computed.",
                          "Use a time column of the row.")  # fmt: skip
        if name in _AGGREGATES and following == "(":
            raise Refused(f"{where}: {name} adds rows up, and an expression is over one row.",
                          "Leave it out: sums are made from the rows.")  # fmt: skip
        if name in _WINDOWS:
            raise Refused(f"{where}: {name} looks at other rows.", "Use a derived column.")
        if name in _QUERY:
            raise Refused(f"{where}: {name} belongs to a query.", "Write an expression over one row.")
        if name in _SYNTAX:
            continue
        if following == "(":
            if name not in FUNCTIONS:
                raise _unknown("function", word, FUNCTIONS, where)
        elif name not in FUNCTIONS:
            raise _unknown("column", word, schema, where)


def _walk(node: Any, sql: str, where: str) -> Iterator[str]:
    """Columns of the tree; whatever is not known to be over one row is refused."""
    match node:
        case {"Column": str(name)}:
            yield name
        case {"Literal": literal}:
            if any(word in json.dumps(literal)[:200] for word in ('"Datetime"', '"Date"', '"Time"', '"Duration"')):
                raise Refused(f"{where}: {sql!r} holds a date or the clock.", "Times are seconds, days are numbers.")
        case {"BinaryExpr": {"left": left, "op": op, "right": right}}:
            if "Divide" in op or op == "Modulus":
                _check_divisor(right, sql, where)
            yield from _walk(left, sql, where)
            yield from _walk(right, sql, where)
        case {"Ternary": {"predicate": predicate, "truthy": truthy, "falsy": falsy}}:
            for part in (predicate, truthy, falsy):
                yield from _walk(part, sql, where)
        case {"Cast": {"expr": inner}}:
            yield from _walk(inner, sql, where)
        case {"Function": {"input": list(inputs), "function": function}}:
            _check_function(function, inputs, sql, where)
            for part in inputs:
                yield from _walk(part, sql, where)
        case _:
            raise Refused(f"{where}: {sql!r} is more than an expression over one row.", "Leave out other rows.")


def _check_function(function: Any, inputs: list[Any], sql: str, where: str) -> None:
    name, detail = (function, None) if isinstance(function, str) else next(iter(function.items()))
    inner = detail if isinstance(detail, str) else next(iter(detail)) if isinstance(detail, dict) else None
    if name not in _CALLS or (_CALLS[name] is not None and inner not in (_CALLS[name] or ())):
        raise Refused(f"{where}: {sql!r} calls {inner or name}, which is not offered.",
                      f"Known functions: {', '.join(FUNCTIONS)}.")  # fmt: skip
    if name == "Sql" and isinstance(detail, dict) and detail.get("Binary") in ("Div", "IntDiv", "Rem"):
        _check_divisor(inputs[1], sql, where)


def _check_divisor(node: Any, sql: str, where: str) -> None:
    """A divisor is a number other than 0, or guarded by NULLIF(…, 0)."""
    match node:
        case {"Literal": {"Dyn": {"Int": value} | {"Float": value}}} if value:
            return
        case {"Literal": {"Scalar": {"Decimal": [value, *_]}}} if value:
            return
        case {
            "Ternary": {
                "predicate": {"BinaryExpr": {"left": left, "op": "Eq", "right": {"Literal": {"Dyn": {"Int": 0}}}}},
                "truthy": {"Literal": {"Scalar": {"Null": _}}},
                "falsy": falsy,
            }
        } if left == falsy:
            return
    raise Refused(f"{where}: {sql!r} divides by what may be 0.", "Write NULLIF(…, 0) around the divisor.")


def _unknown(what: str, name: str, known: Mapping[str, Any] | tuple[str, ...], where: str) -> Refused:
    near = get_close_matches(name.lower(), [k.lower() for k in known], 1, 0.5)
    spelled = next((k for k in known if near and k.lower() == near[0]), None)
    remedy = f"Did you mean {spelled!r}?" if spelled else f"Known: {', '.join(sorted(known))}."
    return Refused(f"{where}: there is no {what} {name!r}.", remedy)


def _kind(dtype: pl.DataType) -> str:
    return "text" if dtype == pl.String else "true or false" if dtype == pl.Boolean else f"a {dtype}"


def _short(error: Exception) -> str:
    return str(error).split("\n")[0][:120]

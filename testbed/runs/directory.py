"""One run directory on disk: atomic parts, private permissions, and the manifest `run.json`."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from testbed.runs.tables import Table, conform

MANIFEST = "run.json"
SCHEMA = 1
STAGES = ("replay", "match", "evaluate", "report")
LEAVES = {
    "replay": ("cells.parquet", "subjects.parquet", "transits.parquet"),
    "match": tuple(
        f"{name}.parquet"
        for name in ("references", "attempts", "counts", "edges", "thresholds", "tallies", "moments", "pairs")
    ),
    "evaluate": ("evidence.json", "curves.parquet", "distributions.parquet"),
    "report": ("report/index.html",),
}
"""The files by which a finished stage is known to be whole."""


class RunDirectory:
    """A run's folder. Files appear whole or not at all: written under a temporary name, then renamed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    # -- life ---------------------------------------------------------------------------------------
    @classmethod
    def create(cls, path: Path, manifest: dict[str, Any]) -> RunDirectory:
        """A new run in `path`, which must be absent or empty. Raises InputError where it cannot be."""
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: is a file; name a folder for the run")
        if path.is_dir() and any(path.iterdir()):
            if (path / MANIFEST).exists():
                raise InputError(
                    f"{path}: holds a run already; name another folder, or go on with that run: "
                    f"testbed run --resume {path}"
                )
            raise InputError(f"{path}: the folder is not empty; name a new or empty folder")
        with _disk(path):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.chmod(0o700)
        run = cls(path)
        run.save_manifest({"schema": SCHEMA, "stages": {}, **manifest})
        return run

    @classmethod
    def open(cls, path: Path, *, counts: bool = False) -> RunDirectory:
        """An existing run, or what `testbed count` made (`counts`). Raises InputError where `path` holds none.

        Likewise for one of another schema.
        """
        if not (path / MANIFEST).is_file():
            made = "`testbed count` made" if counts else "`testbed run` printed"
            raise InputError(f"{path}: no run here ({MANIFEST} is absent); name the folder that {made}")
        run = cls(path)
        manifest = run.manifest()
        schema = manifest.get("schema")
        if schema != SCHEMA:
            raise InputError(
                f"{path / MANIFEST}: written by schema {schema}, this testbed reads schema {SCHEMA}; run it again"
            )
        if counts != ("tiling" in manifest):
            what = "a run, not counts of template pairs" if counts else "counts of template pairs, not a run"
            raise InputError(f"{path}: holds {what}; name a folder that `testbed {'count' if counts else 'run'}` made")
        return run

    # -- manifest -----------------------------------------------------------------------------------
    def manifest(self) -> dict[str, Any]:
        """What `run.json` says: scenario as resolved, seeds, versions, hardware, digests, stages."""
        try:
            loaded = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self.path / MANIFEST}: cannot be read as JSON ({error}); the run must be started anew"
            ) from None
        if not isinstance(loaded, dict):
            raise InputError(f"{self.path / MANIFEST}: holds no JSON object; the run must be started anew")
        return cast(dict[str, Any], loaded)

    def save_manifest(self, manifest: dict[str, Any]) -> None:
        """Replace `run.json`."""
        text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
        self.write_bytes(MANIFEST, (text + "\n").encode())

    def note(self, **changes: Any) -> None:
        """Set top-level entries of `run.json`; dicts are merged into the entry already there."""
        manifest = self.manifest()
        for key, value in changes.items():
            old = manifest.get(key)
            manifest[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        self.save_manifest(manifest)

    def done(self, stage: str) -> bool:
        """Whether `stage` has completed, and none of the files it leaves has gone since."""
        return self._said_done(stage) and all((self.path / name).is_file() for name in LEAVES[stage])

    def _said_done(self, stage: str) -> bool:
        return bool(self.manifest().get("stages", {}).get(stage) == "done")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the run for this process. Raises InputError where another process is at work on it."""
        with (self.path / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system lets go when the process ends, however
            except BlockingIOError:
                raise InputError(f"{self.path}: another process is at work on this run; wait for it to end") from None
            yield

    def begin(self, stage: str) -> None:
        """Mark `stage` as running and those after it as stale: their tables no longer match."""
        later = STAGES[STAGES.index(stage) + 1 :]
        self.note(stages={stage: "running", **dict.fromkeys(later, "stale")})

    def finish(self, stage: str) -> None:
        """Mark `stage` as done."""
        self.note(stages={stage: "done"})

    def require(self, stage: str, wanted_by: str) -> None:
        """Raise InputError unless `stage` has completed."""
        if not self._said_done(stage):
            raise InputError(
                f"{self.path}: `testbed {wanted_by}` needs the {stage} stage, which has not finished; "
                f"run `testbed run --resume {self.path}`"
            )

    # -- files --------------------------------------------------------------------------------------
    def write_bytes(self, name: str, content: bytes) -> None:
        """Put `content` at `name`, whole or not at all."""
        target = self.path / name
        # One fixed temporary name per target: a killed run leaves at most one, and the next writes over it.
        partial = target.with_name(f".{target.name}.partial")
        with _disk(target):
            self._private(target.parent)
            with partial.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(target)

    def write(self, table: Table, frame: pl.DataFrame, part: str | None = None) -> None:
        """Write a table, or one part `<cell>/<camera>/<segment>` of it."""
        buffer = io.BytesIO()
        conform(table, frame).write_parquet(buffer, compression="zstd", statistics=False)
        self.write_bytes(self._name(table, part), buffer.getvalue())

    def read(self, table: Table, part: str | None = None) -> pl.DataFrame:
        """A table, or one part of it."""
        path = self.path / self._name(table, part)
        try:
            return pl.read_parquet(path)
        except FileNotFoundError:
            raise InputError(f"{path}: is missing; run `testbed run --resume {self.path}`") from None
        except pl.exceptions.ComputeError as error:
            raise InputError(
                f"{path}: cannot be read as Parquet ({error}); delete it and `testbed run --resume {self.path}`"
            ) from None

    def has(self, table: Table, part: str | None = None) -> bool:
        """Whether that table, or part, is there."""
        return (self.path / self._name(table, part)).is_file()

    def parts(self, table: Table, prefix: str = "") -> list[str]:
        """The parts of a table below `prefix` (`<cell>` or `<cell>/<camera>`), in order."""
        base = self.path / table.name
        found = (p.relative_to(base).with_suffix("").as_posix() for p in (base / prefix).rglob("*.parquet"))
        return sorted(found)

    def clear(self, table: Table) -> None:
        """Remove all parts of a table."""
        with _disk(self.path):
            shutil.rmtree(self.path / table.name, ignore_errors=False)

    def write_array(self, name: str, array: npt.NDArray[Any]) -> None:
        """Write an array as `.npy` (never pickled)."""
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        self.write_bytes(f"{name}.npy", buffer.getvalue())

    def read_array(self, name: str) -> npt.NDArray[Any]:
        """Read an array written by `write_array`."""
        path = self.path / f"{name}.npy"
        try:
            return cast(npt.NDArray[Any], np.load(path, allow_pickle=False))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read ({error}); run `testbed run --resume {self.path}`") from None

    def _private(self, folder: Path) -> None:
        """Make a folder and those above it inside the run, each for its owner alone (`mode` binds only the last)."""
        if not folder.is_dir():
            if folder != self.path:
                self._private(folder.parent)
            folder.mkdir(exist_ok=True, mode=0o700)

    @staticmethod
    def _name(table: Table, part: str | None) -> str:
        return f"{table.name}.parquet" if part is None else f"{table.name}/{part}.parquet"


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Turn a refusal of the file system into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise InputError(
                f"{path}: the disk is full; free some space, then continue with --resume (finished parts are kept)"
            ) from None
        raise InputError(f"{path}: cannot be written ({error.strerror}); name a folder you may write to") from None

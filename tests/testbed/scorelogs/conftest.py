"""A small world of comparisons, and a reader for logs written of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from testbed.runs.directory import RunDirectory
from testbed.scorelogs.options import LogOptions
from testbed.scorelogs.stage import import_log


@dataclass(frozen=True)
class World:
    """12 people in two groups, 20 probes and 16 references of them, and the similarity of each pair."""

    probe_owners: list[str]
    reference_owners: list[str]
    scores: np.ndarray
    people: pl.DataFrame

    @property
    def tidy(self) -> pl.DataFrame:
        shape = self.scores.shape
        i, j = (index.ravel() for index in np.indices(shape))
        return pl.DataFrame({
            "probe": [f"p{k}" for k in i], "reference": [f"r{k}" for k in j], "score": self.scores.ravel(),
            "probe_subject": [self.probe_owners[k] for k in i],
            "reference_subject": [self.reference_owners[k] for k in j],
        })  # fmt: skip

    @property
    def mated(self) -> np.ndarray:
        return np.array(self.probe_owners)[:, None] == np.array(self.reference_owners)[None]


@pytest.fixture(scope="session")
def world() -> World:
    rng = np.random.default_rng(3)
    names = [f"s{i:02}" for i in range(12)]
    probes = sorted([*names, *rng.choice(names, 8)])
    references = sorted([*names, *rng.choice(names, 4)])
    scores = np.round(rng.normal(size=(20, 16)), 2)  # rounded, so that ties with a threshold happen
    scores += 2.0 * (np.array(probes)[:, None] == np.array(references)[None])
    return World(probes, references, scores, pl.DataFrame({"subject": names, "sex": ["f", "m"] * 6}))


@pytest.fixture
def audit(tmp_path):
    """Read a log in a run directory of its own."""
    runs = []

    def _audit(*files: Path, **options) -> RunDirectory:
        runs.append(tmp_path / f"run{len(runs)}")
        return import_log(LogOptions(files, **options), runs[-1])

    return _audit


@pytest.fixture
def people(world, tmp_path) -> Path:
    path = tmp_path / "people.csv"
    world.people.write_csv(path)
    return path

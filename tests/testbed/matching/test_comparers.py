"""Systems that compare by themselves are counted as any other: asked for Euclidean distances they give the same."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from kernels.crosscount import Faces
from testbed.matching import black_box
from testbed.matching.comparisons import Matcher, compare, compare_passers_by
from testbed.matching.people import people_of, with_passers_by
from testbed.scenario.cells import Cell
from testbed.scenario.models import Condition, System

INFO = {"threshold": 1.2, "score_range": (0.0, 9.0), "direction": "distance", "percent_rule": None}


@pytest.fixture
def world(monkeypatch):
    """Six people with two templates a pass; the system under test compares as the Euclidean kernel does."""
    euclidean = SimpleNamespace(compare=lambda left, right: np.linalg.norm(left[:, None] - right[None], axis=2))
    monkeypatch.setattr(black_box, "build", lambda system: euclidean)
    rng = np.random.default_rng(2)
    looks = rng.normal(size=(6, 3))
    seen = (np.repeat(looks, 2, axis=0) + rng.normal(size=(12, 3)) / 2).astype(np.float32)
    people = people_of(pl.DataFrame({"subject": list("abcdef"), "sex": list("mfmfmf")}), ["sex"], 1)
    passes, photographs = (
        Faces(seen, np.arange(0, 13, 2), np.arange(6)),
        Faces(looks.astype(np.float32), np.arange(7), np.arange(6)),
    )
    cell = Cell("box--clean", System(pipeline="box"), Condition(clean=True), "clean", "clean")
    return people, passes, photographs, cell


def same(one, other):
    for (table, frame), (again, theirs) in zip(one, other, strict=True):
        assert table is again
        assert frame.sort(frame.columns).equals(theirs.sort(theirs.columns)), table.name


def test_its_comparisons_fill_the_same_tables(world):
    people, passes, photographs, cell = world
    points = ["own", 1.5, "fmr=1e-1"]
    opaque, known = (Matcher.of({**INFO, "metric": metric}, points) for metric in ("its own", "euclidean"))
    scores = black_box.scores_of(cell.system, passes, photographs, "distance")
    found = black_box.compare_scores(cell.id, opaque, scores, passes, photographs, people, points)
    same(found, compare(cell.id, known, passes, photographs, people, points)[0])


def test_so_do_those_of_passers_by_whom_nobody_enrolled(world):
    people, passes, photographs, cell = world
    crowd = with_passers_by(people, ["lobby"])
    last = len(crowd.subjects) - 1
    strangers = Faces(passes.templates, np.arange(13), np.full(12, last))
    opaque, known = (Matcher.of({**INFO, "metric": metric}, ["own"]) for metric in ("its own", "euclidean"))
    found = black_box.compare_passers_by_scores(cell, opaque, strangers, photographs, crowd)
    same(found, compare_passers_by(cell.id, known, strangers, photographs, crowd))

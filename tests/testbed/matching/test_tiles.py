"""Every pair of a set in tiles is every pair of it at once, wherever and however often it was stopped."""

from concurrent.futures import ThreadPoolExecutor

import distributed
import numpy as np
import polars as pl
import pytest

from kernels.crosscount import count
from pipelines.errors import InputError
from testbed.matching.templates import template_set
from testbed.matching.tiles import Tiling, count_tile

THRESHOLDS = [0.5, 0.2]


def made(folder, n=90, people=30, d=8, metric="cosine", stretches=4, seed=0):
    """A tiling of n random templates of so many people in two groups, the rows in no order."""
    rng = np.random.default_rng(seed)
    owners = np.r_[np.arange(people), rng.integers(0, people, n - people)]
    rng.shuffle(owners)
    centres = rng.normal(size=(people, d))
    np.save(folder / "templates.npy", (centres[owners] + 0.5 * rng.normal(size=(n, d))).astype(np.float32))
    table = pl.DataFrame({"subject": [f"s{i:03}" for i in owners], "region": [("n", "s")[i % 2] for i in owners]})
    table.write_csv(folder / "people.csv")
    templates = template_set(folder / "templates.npy", folder / "people.csv", ["region"], metric)
    return Tiling.create(folder / "out", templates, folder / "people.csv", metric, THRESHOLDS, stretches, {})


def counted(tiling, workers=1):
    with ThreadPoolExecutor(workers) as executor:
        return tiling.count(executor, workers)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("stretches", [1, 2, 7, 1000])
def test_the_sum_of_all_tiles_is_every_pair_scored_by_numpy(tmp_path, metric, stretches):
    tiling = made(tmp_path, n=40, people=15, metric=metric, stretches=stretches)
    found = counted(tiling, workers=2)
    templates = np.load(tmp_path / "templates.npy").astype(np.float64)
    table = pl.read_csv(tmp_path / "people.csv")
    i, j = np.triu_indices(len(templates), 1)
    if metric == "cosine":
        unit = templates / np.linalg.norm(templates, axis=1, keepdims=True)
        scores, side = (unit[i] * unit[j]).sum(axis=1), "right"
    else:
        scores, side = np.linalg.norm(templates[i] - templates[j], axis=1), "left"
    groups = (table["region"] == "s").to_numpy().astype(int)
    mated = (table["subject"].to_numpy()[i] == table["subject"].to_numpy()[j]).astype(int)
    expected = np.zeros_like(found)
    at = np.minimum(groups[i], groups[j]), np.maximum(groups[i], groups[j]), mated
    np.add.at(expected, (*at, np.searchsorted(tiling.edges, scores, side)), 1)
    assert np.array_equal(found, expected)


def test_a_stopped_count_goes_on_and_ends_the_same(tmp_path):
    tiling = made(tmp_path)
    whole = counted(tiling)
    kept = sorted((tmp_path / "out" / "tiles").iterdir())
    for part in kept[1:]:
        part.unlink()
    before = kept[0].stat().st_mtime_ns
    again = counted(Tiling(type(tiling.run).open(tmp_path / "out", counts=True)))
    assert np.array_equal(again, whole)
    assert kept[0].stat().st_mtime_ns == before, "what was counted is not counted again"


def test_other_templates_are_not_mixed_with_those_begun_with(tmp_path):
    tiling = made(tmp_path)
    np.save(tmp_path / "templates.npy", np.ones((90, 8), np.float32))
    with pytest.raises(InputError, match="is not the file these tiles were begun with"):
        counted(tiling)


@pytest.mark.parametrize("tier", ["numba", "fused"])
def test_compiled_tiles_do_not_depend_on_the_cut(tmp_path, monkeypatch, tier):
    monkeypatch.setenv("TESTBED_KERNEL_TIER", tier)
    found = []
    for stretches in (1, 3):
        folder = tmp_path / str(stretches)
        folder.mkdir()
        tiling = made(folder, n=400, people=120, d=16, stretches=stretches)
        assert tiling.plan["tier"] == tier
        found.append(counted(tiling))
    assert np.array_equal(*found)


def test_two_dask_workers_count_the_same(tmp_path):
    tiling = made(tmp_path, n=200, people=60)
    alone = counted(tiling)
    for part in (tmp_path / "out" / "tiles").iterdir():
        part.unlink()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        together = tiling.count(client.get_executor(), 2, threads=1)
    assert np.array_equal(together, alone)


def test_a_tile_is_the_kernel_on_its_two_stretches(tmp_path):
    tiling = made(tmp_path)
    _, packed = count_tile(str(tiling.run.path), 0, 2)
    templates = tiling.templates()
    left, right = (templates.faces(tiling.stretch(k)) for k in (0, 2))
    folds = np.zeros(len(templates.groups), np.int64)
    expected = count(left, right, templates.groups, folds, tiling.edges, "cosine")[:, :, :, 0]
    (tmp_path / "part.npz").write_bytes(packed)
    with np.load(tmp_path / "part.npz") as kept:
        assert np.array_equal(kept["at"], np.flatnonzero(expected))
        assert np.array_equal(kept["comparisons"], expected[expected > 0])


@pytest.mark.parametrize(
    ("templates", "people", "said"),
    [
        (np.ones((3, 2)), "subject\na\nb\nc\n", "holds float64 of shape (3, 2)"),
        (np.ones(3, np.float32), "subject\na\nb\nc\n", "of shape (3,)"),
        (np.ones((3, 2), np.float32), "subject\na\nb\n", "has 2 rows and templates.npy 3 templates"),
        (np.ones((3, 2), np.float32), "person\na\nb\nc\n", "has no column 'subject'; it has person"),
        (np.ones((3, 2), np.float32), "subject;region\na;n\nb;n\n;n\n", "row 4: subject is empty"),
        (np.ones((3, 2), np.float32), "subject,region\na,n\na,s\nc,n\n", "subject 'a' has two values of region"),
        (np.ones((3, 2), np.float32), "subject,region\na,n\n,s\nc,n\n", "row 3: subject is empty"),
        (
            np.array([[1, 0], [0, 0], [0, 1]], np.float32),
            "subject\na\nb\nc\n",
            "template 1 (counted from 0) is all zeros",
        ),
        (
            np.array([[1, 0], [0, np.nan], [0, 1]], np.float32),
            "subject\na\nb\nc\n",
            "template 1 (counted from 0) is not",
        ),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path, templates, people, said):
    np.save(tmp_path / "templates.npy", templates)
    (tmp_path / "people.csv").write_text(people)
    groups = ["region"] if "region" in people else []
    with pytest.raises(InputError) as caught:
        template_set(tmp_path / "templates.npy", tmp_path / "people.csv", groups, "cosine")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_groups_are_never_called_alike(tmp_path):
    np.save(tmp_path / "t.npy", np.ones((2, 2), np.float32))
    (tmp_path / "p.csv").write_text("subject,a,b\nann,x y,z\nbob,x,y z\n")
    with pytest.raises(InputError, match="two groups would be called alike"):
        template_set(tmp_path / "t.npy", tmp_path / "p.csv", ["a", "b"], "cosine")

"""`testbed count` as a user starts it: the rates of a set of templates, stopped and continued, on a cluster."""

import json

import distributed
import numpy as np
import polars as pl
import pytest


@pytest.fixture
def templates(tmp_path):
    """Forty people in two groups, three templates each: same-person ones close together."""
    rng = np.random.default_rng(4)
    owners = np.repeat(np.arange(40), 3)
    centres = rng.normal(size=(40, 16))
    np.save(tmp_path / "faces.npy", (centres[owners] + 0.3 * rng.normal(size=(120, 16))).astype(np.float32))
    pl.DataFrame({"subject": [f"s{i}" for i in owners], "region": [("n", "s")[i % 2] for i in owners]}).write_csv(
        tmp_path / "people.csv"
    )
    return ["faces.npy", "--people", "people.csv", "--group", "region", "--threshold", "0.5"]


def test_rates_are_those_numpy_counts(testbed, templates, tmp_path):
    result = testbed("count", *templates, "--out", "out", "--tiles", 3)
    assert result.returncode == 0, result.stderr
    faces, table = np.load(tmp_path / "faces.npy").astype(float), pl.read_csv(tmp_path / "people.csv")
    unit = faces / np.linalg.norm(faces, axis=1, keepdims=True)
    i, j = np.triu_indices(len(unit), 1)
    score, owner, region = (unit[i] * unit[j]).sum(axis=1), table["subject"].to_numpy(), table["region"].to_numpy()
    other = owner[i] != owner[j]
    rates = {(r["metric"], r["first"], r["second"]): r for r in pl.read_csv(tmp_path / "out" / "rates.csv").to_dicts()}
    for first, second in (("n", "n"), ("n", "s"), ("s", "s")):
        pair = other & (np.minimum(region[i], region[j]) == first) & (np.maximum(region[i], region[j]) == second)
        row = rates["FMR", first, second]
        assert (row["errors"], row["comparisons"]) == ((score[pair] >= 0.5).sum(), pair.sum())
    missed = ~other & (region[i] == "n")
    assert rates["FNMR", "n", None]["errors"] == (score[missed] < 0.5).sum()
    assert "n with s" in result.stdout
    assert "assumption-free" in result.stdout


def test_what_is_left_of_a_stopped_count_is_counted_with_resume(testbed, templates, tmp_path):
    assert testbed("count", *templates, "--out", "out", "--tiles", 3).returncode == 0
    whole = (tmp_path / "out" / "rates.csv").read_bytes()
    (tmp_path / "out" / "tiles" / "0-1.npz").unlink()
    (tmp_path / "out" / "tiles" / "1-1.npz").write_bytes(b"half of it")
    (tmp_path / "out" / "rates.csv").unlink()
    assert testbed("count", "--resume", "out").returncode == 0
    assert (tmp_path / "out" / "rates.csv").read_bytes() == whole


def test_two_workers_that_stand_elsewhere_count_the_same(testbed, templates, tmp_path):
    assert testbed("count", *templates, "--out", "alone", "--tiles", 3).returncode == 0
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        result = testbed("count", *templates, "--out", "together", "--tiles", 3, "--cluster", cluster.scheduler_address)
    assert result.returncode == 0, result.stderr
    for table in ("counts.parquet", "rates.csv"):
        assert (tmp_path / "together" / table).read_bytes() == (tmp_path / "alone" / table).read_bytes()


def test_a_cluster_in_the_clear_is_refused(testbed, templates, tmp_path):
    result = testbed("count", *templates, "--out", "out", "--cluster", "tcp://192.0.2.7:8786")
    assert result.returncode == 2
    assert "would send people's data in the clear; give tls://HOST:PORT" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["faces.npy"], "--people, --threshold, --out: not named; a count needs"),
        (["gone.npy", "--people", "people.csv", "--threshold", 0.5, "--out", "o"], "gone.npy: there is no such file"),
        (["people.csv", "--people", "people.csv", "--threshold", 0.5, "--out", "o"], "people.csv: is no NumPy matrix"),
        (["faces.npy", "--people", "people.csv", "--threshold", "nan", "--out", "o"], "--threshold nan"),
        (
            ["faces.npy", "--people", "people.csv", "--threshold", 0.5, "--out", "o", "--group", "subject"],
            "is no group",
        ),
        (["faces.npy", "--people", "people.csv", "--threshold", 0.5, "--out", "faces.npy"], "is no empty folder"),
        (["faces.npy", "--people", "people.csv", "--threshold", 0.5, "--out", "o", "--cluster", "x"], "in the clear"),
        (["--resume", "gone"], "no run here"),
        (["--resume", "gone", "--tiles", 3], "--resume: continues a count as it was begun"),
    ],
)
def test_wrong_input_is_one_sentence(typed, templates, tmp_path, arguments, said):
    result = typed("count", *arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "o").exists()


def test_counts_are_no_run(testbed, templates, tmp_path):
    assert testbed("count", *templates, "--out", "out").returncode == 0
    assert json.loads((tmp_path / "out" / "run.json").read_text())["tiling"]["n"] == 120
    result = testbed("report", "out")
    assert result.returncode == 2
    assert "holds counts of template pairs, not a run" in result.stderr

"""One whole run on real photographs, and its evidence checked against the templates themselves."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest


@pytest.fixture
def done(testbed, london, write, tmp_path):
    result = testbed("run", write(london), "--out", "out", "--workers", 2)
    assert result.returncode == 0, result.stderr
    return tmp_path / "out", result


def figures(run):
    evidence = json.loads((run / "evidence.json").read_text())
    assert evidence["schema"] == 1
    return evidence["figures"]


def test_a_run_ends_with_a_report_and_evidence_that_the_templates_bear_out(done):
    run, result = done
    assert f"report: {'out/report/index.html'}" in result.stdout
    html = (run / "report" / "index.html").read_text()
    assert "A small test" in html
    rows = figures(run)
    assert not [row for row in rows if row["value"] is None and (row["low"], row["high"]) != (0, 1)]
    keys = [
        json.dumps([row[k] for k in ("metric", "system", "condition", "operating_point", "threshold", "unit",
                                     "gallery_size", "rank", "probe_group", "reference_group")])
        for row in rows
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)

    # Recount the clean cell from captures and references with nothing but NumPy.
    references = pl.read_parquet(run / "references.parquet").filter(pl.col("state") == "enrolled")
    gallery = np.load(run / "references" / "yunet-openvino.npy")
    probes, owners = [], []
    for part in sorted((run / "captures" / "yunet-openvino--clean").rglob("*.parquet")):
        table = pl.read_parquet(part).filter((pl.col("state") == "ok") & pl.col("transit").is_not_null())
        probes.append(np.load(part.with_suffix(".npy"))[table["row"].to_numpy()])
        owners += table["subject"].to_list()
    left, right = np.concatenate(probes).astype(float), gallery[references["row"].to_numpy()].astype(float)
    cosine = (left @ right.T) / np.linalg.norm(left, axis=1)[:, None] / np.linalg.norm(right, axis=1)
    mated = np.array(owners)[:, None] == references["subject"].to_numpy()[None]
    matched = cosine >= 0.4

    def figure(metric, group, reference):
        (row,) = (
            row for row in rows
            if row["metric"] == metric and row["cell"] == "yunet-openvino--clean" and row["operating_point"] == "own"
            and row["probe_group"] == group and row["reference_group"] == reference
        )  # fmt: skip
        return row

    fmr, fnmr = figure("FMR", "all", "all"), figure("FNMR", "all", None)
    assert fmr["threshold"] == 0.4
    assert (fmr["errors"], fmr["comparisons"]) == ((matched & ~mated).sum(), (~mated).sum())
    assert (fnmr["errors"], fnmr["comparisons"]) == ((~matched & mated).sum(), mated.sum())
    assert fmr["low"] <= fmr["value"] <= fmr["high"]
    assert figure("FMR", "black", "black")["subjects"] == 6
    assert figure("FMR", "east_asian/white male", "east_asian/white male")["verdict"] == "insufficient"
    # A smaller group is part of a larger one: nothing is counted twice or lost.
    same = ("metric", "cell", "operating_point")
    full = [row for row in rows if all(row[key] == fmr[key] for key in same)
            and len(row["probe_attributes"]) == 2 and len(row["reference_attributes"]) == 2]  # fmt: skip
    assert sum(row["comparisons"] for row in full) == fmr["comparisons"]
    assert sum(row["errors"] for row in full) == fmr["errors"]


def test_every_step_can_be_run_again_and_gives_the_same_tables(done, testbed):
    run, _ = done
    before = {name: (run / name).read_bytes() for name in ("counts.parquet", "tallies.parquet", "evidence.json")}
    for stage in ("replay", "match", "evaluate", "report"):
        result = testbed(stage, "out")
        assert result.returncode == 0, result.stderr
    assert {name: (run / name).read_bytes() for name in before} == before


def test_nothing_heavy_is_imported_to_print_help():
    heavy = "{'numpy', 'polars', 'numba', 'cv2', 'av', 'pydantic', 'scipy', 'altair', 'yaml'}"
    code = f"import sys, testbed.cli.commands; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

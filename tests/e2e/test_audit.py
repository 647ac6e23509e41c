"""A vendor's score log, its claims, what a percentage means, and planning: as an auditor would start them."""

import json
import re

import numpy as np
import pytest


@pytest.fixture
def log(tmp_path):
    """40 people in two groups, one probe and one reference each; group b's strangers look more alike."""
    rng = np.random.default_rng(9)
    lines, people = ["probe,reference,probe_subject,reference_subject,score"], ["subject,group"]
    look = rng.normal(size=(40, 8))
    look[20:] = look[20:] * 0.4 + 1.0
    for i in range(40):
        people.append(f"s{i},{'ab'[i // 20]}")
        for j in range(40):
            distance = float(np.linalg.norm(look[i] + rng.normal(size=8) * 0.1 - look[j]))
            lines.append(f"p{i},r{j},s{i},s{j},{distance:.6f}")
    (tmp_path / "scores.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "people.csv").write_text("\n".join(people) + "\n")
    return tmp_path


def test_a_log_becomes_the_same_evidence_and_report_as_a_run(testbed, log):
    (log / "claims.yaml").write_text(
        "claims:\n- says: never wrong\n  metric: FMR\n  at_most: 1e-6\n  groups: [b]\n"
        "- says: finds most\n  metric: FNMR\n  at_most: 0.2\n  groups: all\n"
    )
    result = testbed(
        "audit", "scores.csv", "--groups", "people.csv", "--threshold", 1.5, "--distance", "--out", "out",
        "--claims", "claims.yaml",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    evidence = json.loads((log / "out" / "evidence.json").read_text())
    rows = {
        (f["probe_group"], f["reference_group"]): f
        for f in evidence["figures"]
        if f["metric"] == "FMR" and f["operating_point"] == "own"
    }
    # Counted again from the file itself.
    scores = np.loadtxt(log / "scores.csv", delimiter=",", skiprows=1, usecols=4).reshape(40, 40)
    within = ~np.eye(20, dtype=bool)
    for group, part in (("a", slice(0, 20)), ("b", slice(20, 40))):
        row = rows[group, group]
        assert (row["errors"], row["comparisons"]) == (((scores[part, part] <= 1.5) & within).sum(), 380)
    assert rows["b", "b"]["errors"] > rows["a", "a"]["errors"]
    verdicts = {claim["says"]: claim["verdict"] for claim in evidence["claims"]}
    assert verdicts == {"never wrong": "refuted", "finds most": "supported"}
    assert "REFUTED" in result.stdout
    assert "never wrong" in (log / "out" / "report" / "index.html").read_text()
    assert evidence["score_meaning"]


def test_what_a_percentage_means_is_said_with_its_limits(testbed, log):
    testbed("audit", "scores.csv", "--groups", "people.csv", "--threshold", 1.5, "--distance", "--out", "out",
            "--percent-rule", "face_recognition wiki")  # fmt: skip
    result = testbed("decode", 40, "--run", "out", "--prior", "1/1000")
    assert result.returncode == 0, result.stderr
    assert re.search(r"strangers shown at least 40 %.*95 % interval", result.stdout)
    assert "likelihood ratio" in result.stdout
    for wrong, word in ((("--prior", "0"), "prior"), (("--prior", "often"), "often"), (("--cell", "x"), "x")):
        refused = testbed("decode", 40, "--run", "out", *wrong)
        assert refused.returncode == 2
        assert word in refused.stderr
        assert "Traceback" not in refused.stderr


def test_without_ids_of_people_nothing_is_supported(testbed, log):
    lines = [line.split(",") for line in (log / "scores.csv").read_text().splitlines()[1:]]
    kept = [f"{p},{r},{score},{str(i == j).lower()}" for p, r, i, j, score in lines]
    (log / "bare.csv").write_text("\n".join(["probe,reference,score,mated", *kept]) + "\n")
    (log / "claims.yaml").write_text("claims:\n- says: good\n  metric: FMR\n  at_most: 0.9\n  groups: all\n")
    result = testbed("audit", "bare.csv", "--threshold", 1.5, "--distance", "--out", "out", "--claims", "claims.yaml")
    assert result.returncode == 0, result.stderr
    evidence = json.loads((log / "out" / "evidence.json").read_text())
    assert {claim["verdict"] for claim in evidence["claims"]} == {"untestable"}
    assert "too narrow" in result.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("probe,reference,mated,score\np,r,true,0.1\np,q,false,high\n", ["scores.csv", "3", "high"]),
        ("who,whom,alike\nann,bob,0.5\n", ["scores.csv", "--column"]),
        ("", ["scores.csv", "empty"]),
    ],
    ids=["not a number", "columns", "empty"],
)
def test_a_log_that_cannot_be_read_is_one_sentence(testbed, tmp_path, content, words):
    (tmp_path / "scores.csv").write_text(content)
    result = testbed("audit", "scores.csv", "--out", "out")
    assert result.returncode == 2, result.stdout
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_log_on_the_wrong_side_names_the_option(testbed, log):
    result = testbed("audit", "scores.csv", "--groups", "people.csv", "--out", "out")
    assert result.returncode == 2
    assert "--distance" in result.stderr


def test_planning_answers_at_once(testbed):
    result = testbed("plan", "--bound", "1e-4")
    assert result.returncode == 0
    assert "246" in result.stdout
    assert testbed("plan", "--bound", 2).returncode == 2

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
    several = testbed("decode", "40%", "--run", "out", "--prior", "1/2", "--prior", "1/1000000")
    assert several.returncode == 0, several.stderr
    assert re.search(r"if 1 in 2 such pairs.*if 1 in 1,000,000 such pairs", several.stdout, re.DOTALL)
    asked = testbed("decode", "0.4", "--run", "out")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "is that 40 % or 0.4 %? write 40, or 0.4%" in asked.stderr
    assert "'forty' is no percentage" in testbed("decode", "forty", "--run", "out").stderr
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


def test_a_plan_takes_a_bound_as_it_is_written_and_says_what_is_assumed(typed, tmp_path):
    told = [typed("plan", "--bound", bound).stdout for bound in ("1e-4", "1/10000", "0.01%", "0.01 %")]
    assert len(set(told)) == 1
    assert "246 people" in told[0]
    assert "Design effect: comparisons that share a person are alike" in " ".join(told[0].split())
    assert "an assumption, not a finding" in told[0]
    refused = typed("plan", "--bound", "one in ten")
    assert (refused.returncode, "--bound one in ten: write 0.001, 1/1000" in refused.stderr) == (2, True)
    refused = typed("plan", "--bound", "1%", "--out", "plan.gif")
    assert (refused.returncode, refused.stdout) == (2, ""), "nothing is printed before it is known that it can be drawn"


def test_a_plan_from_a_run_says_what_assuming_would_have_said(typed, log):
    from testbed.evidence.planning import plan

    people = ("--groups", "people.csv", "--threshold", 0.6, "--distance", "--out", "run")
    assert typed("audit", "scores.csv", *people).returncode == 0
    told = " ".join(typed("plan", "--bound", "1%", "--run", "run").stdout.split())
    assert f"Had 3 been assumed, the answer would have been {plan('FMR', 0.01).borrowed:,} people" in told
    assert "as measured in" in told


def test_a_log_without_the_faces_that_were_never_found_supports_no_claim_on_them(testbed, log):
    lines = (log / "scores.csv").read_text().splitlines()
    (log / "half.csv").write_text("\n".join(line for line in lines if not re.match(r"p1?\d,", line)) + "\n")
    (log / "claims.yaml").write_text("".join(
        ["claims:\n", *(f"- says: {m}\n  metric: {m}\n  at_most: 0.3\n  groups: all\n" for m in ("FTA", "GFRR"))]
    ))  # fmt: skip
    asked = ("audit", "half.csv", "--threshold", 1.5, "--distance", "--claims", "claims.yaml")
    result = testbed(*asked, "--out", "out")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("UNTESTABLE") == 2
    assert "not known from this log: it lists no failures" in result.stdout
    assert "SUPPORTED" in testbed(*asked, "--complete", "--out", "complete").stdout


def test_a_folder_that_holds_a_run_is_told_how_that_goes_on(testbed, log):
    options = ("--threshold", 1.5, "--distance", "--out", "out")
    assert testbed("audit", "scores.csv", *options).returncode == 0
    again = testbed("audit", "scores.csv", *options)
    assert again.returncode == 2
    assert "testbed run --resume out" in again.stderr
    assert testbed("run", "--resume", "out").returncode == 0

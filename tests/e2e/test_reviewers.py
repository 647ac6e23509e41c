"""Reviewers handed to a vendor's candidate lists, as an auditor would."""

import json
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_vendors_lists_are_looked_at_as_a_file_assumes_until_it_is_dropped(typed, tmp_path):
    audit = ("audit", EXAMPLES / "candidates.csv", "--groups", EXAMPLES / "people.csv", "--threshold", 0.6,
             "--distance", "--gallery", 40, "--out", "out")  # fmt: skip
    assert typed(*audit).returncode == 0

    def evidence():
        return (tmp_path / "out/evidence.json").read_bytes()

    before = json.loads(evidence())
    assert before["reviewers"] == []
    (tmp_path / "r.yaml").write_text("review: {hit_rate: 0.6, false_alarm_rate: 0.25, fatigue: 0, rare: 0, alike: 0}\n")
    assert typed("evaluate", "out", "--review", "r.yaml").returncode == 0
    first = evidence()
    (row,) = json.loads(first)["reviewers"]
    machine = {(f["metric"], f["rank"]): f["value"] for f in before["figures"] if f["probe_group"] == "all"}
    whole = row["groups"][0]
    # With a chance that is the same for all lists, the closed form is the machine's rate times it.
    assert abs(whole["false_identifications"]["value"] - 0.25 * machine["FPIR", None]) < 1e-12

    assert row["assumptions"]["ranges"]["hit_rate"]["source"] is None

    kept = typed("evaluate", "out")
    assert "assumptions of r.yaml" in kept.stdout
    assert evidence() == first  # byte for byte, the simulation too
    (tmp_path / "r.yaml").write_text("review: {hit_rate: [0.9, 0.5]}\n")
    wrong = typed("evaluate", "out", "--review", "r.yaml")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "r.yaml:1: review.hit_rate: the range begins with its higher end; write [0.5, 0.9]" in wrong.stderr
    assert evidence() == first
    assert typed("evaluate", "out", "--review", "none").returncode == 0
    assert json.loads(evidence())["reviewers"] == []


def test_reviewers_without_searches_are_refused_in_one_sentence(typed, tmp_path):
    (tmp_path / "r.yaml").write_text("review: {}\n")
    assert typed("audit", EXAMPLES / "scores.csv", "--threshold", 0.6, "--distance", "--out", "out").returncode == 0
    wrong = typed("evaluate", "out", "--review", "r.yaml")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "reviewers look at what searches return; nothing was searched in out" in wrong.stderr

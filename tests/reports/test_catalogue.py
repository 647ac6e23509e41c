"""The definitions: every figure has one, plain words first, and every link leads to it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reports import catalogue

REPOSITORY = Path(__file__).parents[2]
PROMISED = {
    "fmr", "fnmr", "fta", "fte", "far", "frr", "gfrr", "eer", "det", "fpir", "fnir", "selectivity", "cmc", "interval",
    "assumption-free", "too-few", "threshold", "ratio", "max-over-min", "max-over-geomean", "garbe", "fdr", "ir",
    "no-difference", "holm", "label-errors", "identity-check", "likelihood-ratio", "cllr", "reliability", "ece",
    "percent", "posterior", "strangers-top-score", "verdict", "planning-a-test", "transit", "timing",
}  # fmt: skip
"""Anchors that stay: links from outside the report rest on them."""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the examples, with every kind of claim, as the program makes it."""
    run = tmp_path_factory.mktemp("audit") / "run"
    asked = ["--groups", "examples/people.csv", "--threshold", "0.6", "--distance",
             "--percent-rule", "face_recognition wiki", "--claims", "scenarios/claims/example.yaml"]  # fmt: skip
    command = [sys.executable, "-m", "testbed.cli", "audit", "examples/scores.csv", *asked, "--out", str(run)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return run


def named(evidence: dict[str, Any]) -> set[str]:
    """Every metric, index and reading that an evidence.json names."""
    rows = [row for part in ("figures", "differentials", "indices", "claims") for row in evidence.get(part, [])]
    names = {row[key] for row in rows for key in ("metric", "read_as", "index") if isinstance(row.get(key), str)}
    meaning = {"cllr", "cllr_min", "cllr_cal", "reliability", "expected_calibration_error", "stranger"}
    return names | {key for row in evidence["score_meaning"] for key in meaning & row.keys()}


SPOKEN = {
    "cllr_min": "cllr",
    "cllr_cal": "cllr",
    "expected_calibration_error": "ECE",
    "stranger": "Stranger's top score",
}


def test_every_entry_begins_with_plain_words_and_has_a_place_of_its_own() -> None:
    entries = [entry for room in catalogue.rooms() for entry in room.entries]
    assert len({entry.anchor for entry in entries}) == len(entries)
    for entry in entries:
        assert re.fullmatch(r"<p>.*</p>\n", entry.plain, re.DOTALL), entry.anchor
        assert "<code>" not in entry.plain, f"{entry.anchor}: a formula before plain words"


def test_promised_anchors_stay() -> None:
    assert catalogue.anchors() >= PROMISED


def test_every_metric_that_evidence_names_is_defined(audit: Path) -> None:
    evidence = json.loads((audit / "evidence.json").read_text())
    names = named(evidence)
    assert {"FMR", "GFRR", "EER", "accuracy", "calibration", "fps", "cllr"} <= names
    for name in names:
        assert catalogue.anchor(SPOKEN.get(name, name))


def test_a_word_without_an_entry_is_an_error() -> None:
    with pytest.raises(LookupError, match="no entry 'hit-rate'"):
        catalogue.anchor("hit rate")


def test_every_link_leads_to_one_place(audit: Path, page: str, video_page: str) -> None:
    for source in ((audit / "report/index.html").read_text(encoding="utf-8"), page, video_page):
        ids = re.findall(r'\bid="([^"]+)"', source)
        assert len(set(ids)) == len(ids)
        assert set(re.findall(r'href="#([^"]+)"', source)) <= set(ids)


def test_the_navigation_names_every_section_once(page: str, video_page: str) -> None:
    for source in (page, video_page):
        navigation = source[source.index("<nav>") : source.index("</nav>")]
        linked = re.findall(r'href="#([^"]+)"', navigation)
        assert len(set(linked)) == len(linked)
        assert set(re.findall(r'<section id="([^"]+)"', source)) <= set(linked)


def test_code_cites_sections_that_are_there() -> None:
    rooms = [room.title for room in catalogue.rooms()]
    for path in [
        p for folder in ("kernels", "pipelines", "testbed", "reports") for p in (REPOSITORY / folder).rglob("*.py")
    ]:
        words = " ".join(path.read_text(encoding="utf-8").split())
        for cited in re.findall(r"METRICS(?:\.md)? § (.{40})", words):
            assert any(cited.startswith(room[:40]) for room in rooms), f"{path.name} cites § {cited}"

"""A vendor's candidate lists, as an auditor would start them: the example that is shipped, and its claims."""

import json
import re
from pathlib import Path

import polars as pl

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_candidate_lists_become_rates_of_searches_with_gallery_and_rank(testbed, tmp_path):
    (tmp_path / "claims.yaml").write_text(
        "claims:\n- says: nobody is confused\n  metric: FMR\n  at_most: 0.001\n  groups: all\n"
    )
    result = testbed(
        "audit", EXAMPLES / "candidates.csv", "--groups", EXAMPLES / "people.csv", "--threshold", 0.6, "--distance",
        "--gallery", 40, "--out", "out", "--claims", "claims.yaml",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    evidence = json.loads((tmp_path / "out" / "evidence.json").read_text())
    rows = {(f["metric"], f["rank"], f["probe_group"]): f for f in evidence["figures"] if f["unit"] == "search"}
    # Counted again from the file itself.
    log = pl.read_csv(EXAMPLES / "candidates.csv")
    enrolled = set(log["reference_subject"].drop_nulls())
    right = pl.col("reference_subject") == pl.col("probe_subject")
    searches = log.group_by("probe").agg(
        mated=pl.col("probe_subject").first().is_in(list(enrolled)),
        alert=((pl.col("score") <= 0.6) & ~right).any(),
        found=((pl.col("score") <= 0.6) & right & (pl.col("rank") == 1)).any(),
    )
    strangers, mated = searches.filter(~pl.col("mated")), searches.filter("mated")
    alert, missed = rows["FPIR", None, "all"], rows["FNIR", 1, "all"]
    assert (alert["errors"], alert["comparisons"]) == (strangers["alert"].sum(), strangers.height)
    assert (missed["errors"], missed["comparisons"]) == ((~mated["found"].fill_null(value=False)).sum(), mated.height)
    assert {f["gallery_size"] for f in rows.values()} == {40}
    assert alert["low"] < alert["value"] < alert["high"]
    assert {claim["verdict"] for claim in evidence["claims"]} == {"untestable"}
    assert "FMR and FNMR cannot be known" in result.stdout
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    assert "of searches for people who are not in the gallery of 40 people" in page
    assert "cannot be known from lists of the best candidates" in page
    assert 'id="searches"' in page


def test_the_first_screen_of_lists_says_what_was_guessed_and_shows_their_rates(typed, tmp_path):
    asked = (
        "audit",
        EXAMPLES / "candidates.csv",
        "--groups",
        EXAMPLES / "people.csv",
        "--threshold",
        0.6,
        "--distance",
    )
    for gallery, guessed in ((40, False), (4000, True)):
        assert typed(*asked, "--gallery", gallery, "--out", f"out{gallery}").returncode == 0
        report = tmp_path / f"out{gallery}" / "report"
        page = re.sub(r"<script.*?</script>", "", (report / "index.html").read_text(), flags=re.DOTALL)
        first = page[page.index('id="found"') : page.index('id="who"')]
        assert ("in no list, and so taken not to be in the gallery of 4,000 people" in first) == guessed
        assert ("people who are not in the gallery of 40 people" in first) != guessed
        assert "do not return them first at its own threshold of 0.6" in first
        columns = pl.read_csv(report / "at_a_glance.csv").filter(pl.col("value").is_not_null())
        assert set(columns["column"]) >= {"FPIR", "FNIR", "selectivity"}
        table = first[first.index("At a glance") :]
        for row in columns.filter(pl.col("column").is_in(["FPIR", "FNIR"])).iter_rows(named=True):
            assert f"{row['errors']} of {row['comparisons']}" in table
        assert "Same group” means" not in page
        assert "never put before the system" not in page
        listed = set(re.findall(r'<dt><a href="(\w+)\.csv">', page))
        assert listed == {path.stem for path in report.glob("*.csv")}
        assert all(pl.read_csv(path).height for path in report.glob("*.csv"))


def test_lists_that_contradict_themselves_are_one_sentence(testbed, tmp_path):
    lines = (EXAMPLES / "candidates.csv").read_text().splitlines()
    probe, _, *rest = lines[2].split(",")
    (tmp_path / "lists.csv").write_text("\n".join([*lines, ",".join([probe, "11", *rest[:-1], "0.0001"])]) + "\n")
    result = testbed("audit", "lists.csv", "--distance", "--out", "out")
    assert result.returncode == 2, result.stdout
    assert "Traceback" not in result.stderr
    assert f"row {len(lines) + 1}" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_gallery_is_no_option_of_comparisons(testbed):
    result = testbed("audit", EXAMPLES / "scores.csv", "--gallery", 40, "--out", "out")
    assert result.returncode == 2
    assert "searches no gallery" in result.stderr

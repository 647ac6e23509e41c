"""Candidate lists become searches, and nothing is made of them that they do not show."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.errors import InputError
from reports.stage import report
from testbed.evidence.stage import evaluate
from testbed.runs.tables import ATTEMPTS, CANDIDATES, COUNTS, SEARCHES, TALLIES
from testbed.scenario.loading import reload
from testbed.scorelogs import reading
from testbed.scorelogs import stage as scorelogs_stage

HEADER = "probe,rank,reference,score,probe_subject,reference_subject\n"
GOOD = "p1,1,ra,0.9,a,a\np1,2,rb,0.4,a,b\np2,1,ra,0.6,z,a\np2,2,rb,0.5,z,b\n"


@pytest.fixture
def lists(audit, tmp_path):
    """The run of a log of candidates."""

    def _lists(rows, **options):
        (tmp_path / "log.csv").write_text(HEADER + rows)
        return audit(tmp_path / "log.csv", **{"threshold": 0.5, "gallery": 5, **options})

    return _lists


@pytest.fixture
def refused(lists, tmp_path):
    """What is said of rows that cannot be believed; nothing is left behind."""

    def _refused(rows, **options):
        with pytest.raises(InputError) as caught:
            lists(rows, **options)
        assert not list(tmp_path.glob("run*"))
        assert "\n" not in str(caught.value)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return _refused


def candidates(run):
    parts = [run.read(CANDIDATES, part) for part in run.parts(CANDIDATES)]
    return pl.concat(parts).sort("search", "rank", "reference")


def notices(run):
    return "\n".join(run.manifest()["notices"])


def figures(run):
    loaded = reload(run.manifest()["scenario"])
    evaluate(run, loaded)
    report(run, loaded)
    return json.loads((run.path / "evidence.json").read_text())


def one(evidence, metric, rank=None, group="all"):
    key = metric, rank, group
    (row,) = (f for f in evidence["figures"] if (f["metric"], f["rank"], f["probe_group"]) == key)
    return row


def test_lists_become_searches_and_candidates_and_no_comparisons(lists):
    run = lists(GOOD)
    made = run.read(SEARCHES)
    assert made.select("gallery", "search", "subject", "mated", "state").rows() == [
        (5, "p1", "a", True, "searched"), (5, "p2", "z", False, "searched"),
    ]  # fmt: skip
    assert candidates(run).select("search", "rank", "reference", "subject", "score").rows() == [
        ("p1", 1, "ra", "a", 0.9), ("p1", 2, "rb", "b", 0.4), ("p2", 1, "ra", "a", 0.6), ("p2", 2, "rb", "b", 0.5),
    ]  # fmt: skip
    assert run.read(COUNTS).is_empty()
    assert run.read(TALLIES).is_empty()
    assert "FMR and FNMR cannot be known from it" in notices(run)
    assert run.manifest()["mated_complete"] is False


def test_only_what_searches_show_is_in_the_evidence(lists):
    evidence = figures(lists(GOOD))
    assert {f["metric"] for f in evidence["figures"]} == {"FTA", "CMC", "FPIR", "FNIR", "selectivity"}
    assert (evidence["differentials"], evidence["score_meaning"]) == ([], [])
    alert = one(evidence, "FPIR")
    assert (alert["errors"], alert["comparisons"], alert["gallery_size"], alert["unit"]) == (1, 1, 5, "search")
    assert one(evidence, "FNIR", 1)["errors"] == 0
    assert one(evidence, "CMC", 1)["value"] == 1


def test_the_order_of_rows_and_the_size_of_chunks_change_nothing(lists, monkeypatch):
    rng = np.random.default_rng(2)
    rows = [
        f"p{i},{rank + 1},r{who},{0.9 - 0.1 * rank:.1f},s{i % 12},s{who}"
        for i in range(30)
        for rank, who in enumerate(rng.permutation(8)[:4])
    ]
    whole = lists("\n".join(rows) + "\n", gallery=8)
    monkeypatch.setattr(reading, "CHUNK", 7)
    monkeypatch.setattr(scorelogs_stage, "CHUNK", 7)
    parts = lists("\n".join(rng.permutation(rows)) + "\n", gallery=8)
    assert len(parts.parts(CANDIDATES)) > 5 > len(whole.parts(CANDIDATES))
    assert_frame_equal(candidates(whole), candidates(parts))
    assert_frame_equal(whole.read(SEARCHES), parts.read(SEARCHES))
    assert figures(whole)["figures"] == figures(parts)["figures"]


def test_a_gallery_that_nobody_counted_is_a_guess_and_said_to_be(lists):
    run = lists(GOOD, gallery=None)
    assert run.read(SEARCHES)["gallery"].to_list() == [2, 2]
    assert "gallery taken as the 2 people that appear in the lists; give --gallery" in notices(run)
    assert "1 of 2 searches are taken to be of people enrolled" in notices(run)
    assert run.manifest()["enrolled_known"] is False


def test_lists_know_of_failures_only_if_they_list_one(lists):
    whole, failed = lists(GOOD), lists(GOOD + "p3,,,,a,\n")
    (unknown,), (known,) = ([f for f in figures(run)["figures"] if f["metric"] == "FTA"] for run in (whole, failed))
    assert (unknown["value"], unknown["method"]) == (None, "not known from this log: it lists no failures")
    assert (known["errors"], known["comparisons"]) == (1, 3)
    assert "say --complete" in notices(whole)
    assert "say --complete" not in notices(failed)


def test_who_is_enrolled_can_be_said(lists, tmp_path):
    (tmp_path / "enrolled.txt").write_text("a\nb\nz\nq\n\n")
    run = lists(GOOD, gallery=None, enrolled=tmp_path / "enrolled.txt")
    assert run.read(SEARCHES).select("gallery", "mated").rows() == [(4, True), (4, True)]
    assert "taken" not in notices(run)
    assert run.manifest()["enrolled_known"] is True
    assert "no search is of a person who is not enrolled: FPIR cannot be known" in notices(run)
    assert one(figures(run), "FNIR", 1)["errors"] == 1


def test_a_probe_of_which_nobody_is_returned_is_counted(lists):
    # Lists of one length: an empty one is a probe without a template.
    run = lists(GOOD + "p3,,,,a,\np4,,,NaN,z,\n")
    assert run.read(SEARCHES).filter(pl.col("state") == "failed")["search"].to_list() == ["p3", "p4"]
    assert run.read(ATTEMPTS).filter(pl.col("state") == "failed")["transit"].to_list() == ["p3", "p4"]
    assert "2 probes have no candidate and are taken to have no template (FTA)" in notices(run)
    evidence = figures(run)
    assert (one(evidence, "FNIR", 1)["errors"], one(evidence, "FNIR", 1)["comparisons"]) == (1, 2)
    assert (one(evidence, "FPIR")["errors"], one(evidence, "FPIR")["comparisons"]) == (1, 2)
    # Lists cut by score: an empty one was searched in vain.
    run = lists(GOOD + "p3,,,,a,\np4,1,ra,0.7,z,a\n")
    assert run.read(SEARCHES)["state"].to_list() == ["searched"] * 4
    assert "searched in vain" in notices(run)


def test_ties_repeated_candidates_gaps_and_padding_are_named_and_harmless(lists):
    rows = (
        "p1,1,ra,0.9,a,a\np1,2,rb,0.4,a,b\np1,2,rc,0.4,a,c\np1,5,rd,0.1,a,d\np1,6,,,a,\n"  # a shared rank, then a gap
        "p2,1,ra,0.6,z,a\np2,1,ra,0.6,z,a\np2,2,rb,0.6,z,b\np2,3,ra,0.6,z,a\np2,4,rc,0.5,z,c\n"
    )
    run = lists(rows)
    said = notices(run)
    for words in ("2 rows name a candidate again", "1 empty rows pad lists", "1 lists skip a rank",
                  "1 candidates share their rank", "candidates score the same as the one ranked before"):  # fmt: skip
        assert words in said, said
    assert candidates(run).filter(pl.col("search") == "p2").select("rank", "reference").rows() == [
        (1, "ra"), (2, "rb"), (4, "rc"),
    ]  # fmt: skip


def test_ranks_may_count_from_zero(lists):
    run = lists(GOOD.replace(",1,", ",0,").replace(",2,", ",1,"))
    assert candidates(run)["rank"].to_list() == [1, 2, 1, 2]
    assert "2 lists count ranks from 0" in notices(run)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (GOOD + "p3,1,ra,0.3,z,a\np3,2,rb,0.4,z,b\n", "row 6: in the list of probe 'p3': rank 1 scores 0.3, and the "
         "rank after it, in row 7, is more alike with 0.4"),
        (GOOD + "p1,2,rc,0.3,a,c\n", "row 3: in the list of probe 'p1': rank 2 is given again in row 6, with another"),
        (GOOD + "p1,3,ra,0.3,a,a\n", "row 2: in the list of probe 'p1': the same candidate has another score in row 6"),
        (GOOD + "p3,2,ra,0.3,z,a\n", "row 6: in the list of probe 'p3': the list begins at rank 2"),
        (GOOD + "p3,0,ra,0.3,z,a\n", "some lists begin at rank 0 and some at rank 1"),
        (GOOD + "p3,first,ra,0.3,z,a\n", "row 6: the rank 'first' is no whole number; write 1 for the best"),
        (GOOD + "p3,1.5,ra,0.3,z,a\n", "row 6: the rank '1.5' is no whole number"),
        (GOOD + "p3,-1,ra,0.3,z,a\n", "row 6: the rank '-1' is no whole number"),
        (GOOD + "p3,1,ra,,z,a\n", "row 6: the candidate 'ra' has no score"),
        (GOOD + "p3,1,,0.3,z,a\n", "row 6: a probe, reference or subject has no id"),
        (GOOD + "p3,1,ra,0.3,,a\n", "row 6: a probe, reference or subject has no id"),
        (GOOD + "p3,1,ra,0.3,z,b\n", "row 6: the reference 'ra' is of the person 'b', and of another in an earlier"),
        ("p1,,,,a,\np2,,,,b,\n", "no search returned anybody"),
    ],
)  # fmt: skip
def test_lists_that_contradict_themselves_are_refused_with_their_row(rows, said, refused):
    assert said in refused(rows)


def test_lists_the_other_way_round_name_the_option(refused):
    assert "so these are no distances; drop --distance" in refused(GOOD, direction="distance")
    turned = GOOD.replace("0.9", "0.1").replace("0.6", "0.2")
    assert "so these are no similarities; say --distance" in refused(turned)


def test_a_gallery_smaller_than_what_was_returned_is_refused(refused, tmp_path):
    assert "--gallery 1: the lists return 2 different people" in refused(GOOD, gallery=1)
    (tmp_path / "enrolled.txt").write_text("a\n")
    assert "the lists return 'b', who is not in enrolled.txt" in refused(GOOD, enrolled=tmp_path / "enrolled.txt")


def test_a_log_of_comparisons_has_no_gallery(audit, tmp_path, world):
    world.tidy.write_csv(tmp_path / "log.csv")
    with pytest.raises(InputError, match="is read as tidy, which searches no gallery"):
        audit(tmp_path / "log.csv", gallery=10)


def test_without_people_no_candidate_can_be_called_right_or_wrong(audit, tmp_path):
    (tmp_path / "log.csv").write_text("probe,rank,reference,score,mated\np1,1,ra,0.9,true\n")
    with pytest.raises(InputError, match="nothing says which person each probe and candidate is"):
        audit(tmp_path / "log.csv")


def test_without_a_threshold_only_ranks_are_told(lists):
    run = lists(GOOD, threshold=None)
    assert "needs --threshold" in notices(run)
    assert {f["metric"] for f in figures(run)["figures"]} == {"FTA", "CMC"}

"""A log becomes the tables that a run has: the same as from templates, whatever the log's form."""

import itertools
import json
import re

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import stats

from kernels.crosscount import Faces, scores_of
from pipelines.errors import InputError
from reports.stage import report
from testbed.evidence.stage import evaluate
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import people_of
from testbed.matching.stage import match
from testbed.replay.stage import replay
from testbed.runs.tables import (
    ATTEMPTS,
    COUNTS,
    EDGES,
    MOMENTS,
    PAIRS,
    REFERENCES,
    SUBJECTS,
    TALLIES,
    THRESHOLDS,
    conform,
)
from testbed.scenario.loading import reload
from testbed.scorelogs import reading
from testbed.scorelogs.survey import Survey

COUNTED = (COUNTS, EDGES, THRESHOLDS, TALLIES, MOMENTS, PAIRS)


def evidence(run):
    loaded = reload(run.manifest()["scenario"])
    evaluate(run, loaded)
    report(run, loaded)
    return json.loads((run.path / "evidence.json").read_text())["figures"]


def figure(figures, metric, point="own", probe="all"):
    return next(f for f in figures if (f["metric"], f["operating_point"], f["probe_group"]) == (metric, point, probe))


def notices(run):
    return "\n".join(run.manifest()["notices"])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_log_of_all_scores_gives_the_tables_that_the_templates_give(
    metric, world, people, audit, tmp_path, monkeypatch
):
    rng = np.random.default_rng(8)
    register = people_of(world.people, ["sex"], 1)

    def side(owners):
        who = register.index(pl.Series(owners))
        templates = np.repeat(rng.normal(size=(12, 4)), np.bincount(who), axis=0) + rng.normal(size=(len(who), 4)) / 4
        return Faces(templates.astype(np.float32), np.arange(len(who) + 1), who)

    rng = np.random.default_rng(8)
    probes, references = side(world.probe_owners), side(world.reference_owners)
    direction = "similarity" if metric == "cosine" else "distance"
    info = {"threshold": 0.5, "score_range": (-1.0, 6.0), "metric": metric, "direction": direction}
    matcher = Matcher.of(info, ["own", "fmr=1e-2"])
    made, _ = compare("log--logged-pictures", matcher, probes, references, register, ["own", "fmr=1e-2"])
    ((_, scores),) = scores_of(probes, references, metric)
    log = tmp_path / "log.csv"
    world.tidy.with_columns(score=scores.ravel()).sample(fraction=1, shuffle=True, seed=1).write_csv(log)
    monkeypatch.setattr(Survey, "edges", lambda _: matcher.edges)
    run = audit(log, subjects=people, threshold=0.5, direction=direction)
    for table, frame in made:
        assert_frame_equal(run.read(table), conform(table, frame))
    assert run.read(MOMENTS)["cross_n2"].sum() > 0


def write_forms(world, folder):
    """The same comparisons in every form that names people: options for each."""
    tidy = world.tidy
    tidy.write_csv(folder / "tidy.csv")
    tidy.rename({"probe": "Image 1", "reference": "Image 2", "score": "Similarity"}).write_csv(folder / "other.csv")
    tidy.write_parquet(folder / "tidy.parquet")
    tidy.with_columns(mated=pl.col("probe_subject") == pl.col("reference_subject")).write_csv(
        folder / "m.csv", separator=";"
    )
    five = tidy.select("reference_subject", "reference", "probe_subject", "probe", "score")
    five.write_csv(folder / "scores-dev", separator=" ", include_header=False)
    np.save(folder / "matrix.npy", world.scores)
    (folder / "rows.txt").write_text("\n".join(world.probe_owners) + "\n")
    (folder / "columns.txt").write_text("\n".join(world.reference_owners))
    lines = [[owner, *map(repr, row)] for owner, row in zip(world.probe_owners, world.scores.tolist(), strict=True)]
    text = "\n".join(",".join(line) for line in [["", *world.reference_owners], *lines])
    (folder / "matrix.csv").write_text(text + "\n")
    lists = {"probe_ids": folder / "rows.txt", "reference_ids": folder / "columns.txt"}
    return {
        "tidy.csv": ({}, "tidy"), "other.csv": ({}, "tidy"), "tidy.parquet": ({}, "tidy"), "m.csv": ({}, "tidy"),
        "scores-dev": ({}, "five-column"), "matrix.npy": (lists, "matrix"), "matrix.csv": ({}, "matrix"),
    }  # fmt: skip


def test_every_form_is_recognised_and_gives_the_same_tables(world, people, audit, tmp_path):
    first = None
    for name, (options, form) in write_forms(world, tmp_path).items():
        run = audit(tmp_path / name, subjects=people, threshold=1.0, system="vendor", **options)
        assert run.manifest()["log"]["form"] == form, name
        assert f"of form {form} (guessed" in notices(run)
        tables = [run.read(table) for table in COUNTED]
        first = first or tables
        for one, other in zip(first, tables, strict=True):
            assert_frame_equal(one, other)


def test_four_columns_are_claimed_identity_real_identity_probe_and_score(audit, tmp_path):
    path = tmp_path / "scores"
    path.write_text("a a p1 3\nb a p1 1\na b p2 2\nb b p2 4\n")
    run = audit(path, threshold=2.0)
    own = run.read(TALLIES).filter((pl.col("point") == "own") & (pl.col("role") == "probe"))
    assert own.filter(~pl.col("mated")).select("subject", "errors").rows() == [("a", 0), ("b", 1)]
    assert own.filter("mated")["errors"].to_list() == [0, 0]


@pytest.mark.parametrize("text", ["9,1,2\n3,9,1\n0,2,9\n", "x,y,z\n9,1,2\n3,9,1\n0,2,9\n",
                                  "7,8,9\n9,1,2\n3,9,1\n0,2,9\n",
                                  ",x,y,z\na,9,1,2\nb,3,9,1\nc,0,2,9\n"])  # fmt: skip
def test_a_square_matrix_is_read_with_and_without_header_and_index(text, audit, tmp_path):
    path = tmp_path / "face.csv"
    path.write_text(text)
    run = audit(path, diagonal_mated=True, threshold=2.0)
    own = run.read(TALLIES).filter((pl.col("point") == "own") & (pl.col("role") == "probe"))
    assert own.filter("mated").select(pl.sum("errors", "comparisons")).row(0) == (0, 3)
    assert own.filter(~pl.col("mated")).select(pl.sum("errors", "comparisons")).row(0) == (3, 6)


def test_the_size_of_the_chunks_changes_nothing(world, people, audit, tmp_path, monkeypatch):
    world.tidy.write_csv(tmp_path / "log.csv")
    whole = audit(tmp_path / "log.csv", subjects=people, threshold=1.0)
    monkeypatch.setattr(reading, "CHUNK", 7)
    parts = audit(tmp_path / "log.csv", subjects=people, threshold=1.0)
    for table in COUNTED:
        assert_frame_equal(whole.read(table), parts.read(table))
    assert not list(whole.path.glob(".spill*"))


def test_groups_may_be_columns_of_the_log(world, people, audit, tmp_path):
    sexes = dict(world.people.rows())
    sided = world.tidy.with_columns(
        pl.col(f"{side}_subject").replace_strict(sexes).alias(f"{side}_sex") for side in ("probe", "reference")
    )
    sided.write_csv(tmp_path / "log.csv")
    with_columns = audit(tmp_path / "log.csv", groups=("sex",), threshold=1.0)
    with_table = audit(tmp_path / "log.csv", subjects=people, threshold=1.0)
    assert_frame_equal(with_columns.read(TALLIES), with_table.read(TALLIES))


# -- missing scores -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("written", ["", "NaN", "-1", "inf"])
def test_a_missing_score_is_counted_and_never_dropped(written, world, audit, tmp_path):
    scores = [[repr(x + 10) for x in row] for row in world.scores.tolist()]
    scores[4] = [written] * 16  # a probe without a template
    for row in scores:
        row[5] = written  # a reference without a template
    scores[0][0] = written
    text = [line.split(",") for line in world.tidy.write_csv().splitlines()[1:]]
    for line, score in zip(text, itertools.chain.from_iterable(scores), strict=True):
        line[2] = score
    header = "probe,reference,score,probe_subject,reference_subject\n"
    (tmp_path / "log.csv").write_text(header + "\n".join(map(",".join, text)))
    run = audit(tmp_path / "log.csv", threshold=11.0, missing=-1.0)
    assert run.read(ATTEMPTS).filter(pl.col("state") == "failed")["transit"].to_list() == ["p4"]
    assert run.read(REFERENCES).filter(pl.col("state") == "failed")["reference"].to_list() == ["r5"]
    assert run.read(COUNTS)["comparisons"].sum() == 320 - 16 - 19 - 1
    said = notices(run)
    assert "36 of 320 comparisons have no score" in said
    assert "failures to acquire (FTA): p4" in said
    assert "1 scores are missing between probes and references that have others" in said
    there = np.array([[s not in ("", "NaN", "-1", "inf") for s in row] for row in scores])
    matches, strangers = there & (world.scores + 10 >= 11), ~world.mated
    x, n, absent = (matches & strangers).sum(), (there & strangers).sum(), (~there & strangers).sum()
    assert f"counted as matches FMR would be {x + absent}/{n + absent}" in said
    assert f"as non-matches FMR {x}/{n + absent}" in said
    misses, made, lost = (
        (there & ~matches & world.mated).sum(),
        (there & world.mated).sum(),
        (~there & world.mated).sum(),
    )
    assert f"FNMR {misses}/{made} (" in said
    assert f"FNMR {misses + lost}/{made + lost} (" in said


def test_a_repeated_row_counts_once_and_is_named(world, audit, tmp_path):
    pl.concat([world.tidy, world.tidy[:3]]).write_csv(tmp_path / "log.csv")
    run = audit(tmp_path / "log.csv", threshold=1.0)
    assert run.read(COUNTS)["comparisons"].sum() == 320
    assert "3 rows repeat a comparison" in notices(run)


# -- who is not known ---------------------------------------------------------------------------------------------
def test_lists_of_scores_give_clopper_pearson_and_say_that_it_is_too_narrow(audit, tmp_path):
    rng = np.random.default_rng(2)
    (tmp_path / "genuine.txt").write_text("\n".join(map(str, rng.normal(3, 1, 40))))
    impostor = rng.normal(0, 1, 90)
    (tmp_path / "impostor.txt").write_text("\n".join(map(str, impostor)) + "\n")
    run = audit(tmp_path / "genuine.txt", tmp_path / "impostor.txt", threshold=1.5)
    assert run.manifest()["subjects_known"] is False
    assert "too narrow, and no claim can be supported" in notices(run)
    fmr = figure(evidence(run), "FMR")
    x = int((impostor >= 1.5).sum())
    exact = stats.binomtest(x, 90).proportion_ci(method="exact")
    assert (fmr["errors"], fmr["comparisons"]) == (x, 90)
    assert (fmr["low"], fmr["high"]) == pytest.approx((exact.low, exact.high))


def test_without_people_every_picture_is_a_person_of_its_own(world, audit, tmp_path):
    mated = pl.Series("mated", world.mated.ravel())
    world.tidy.select("probe", "reference", "score").with_columns(mated).write_csv(tmp_path / "log.csv")
    run = audit(tmp_path / "log.csv", threshold=1.0)
    assert run.manifest()["subjects_known"] is False
    figures = evidence(run)
    x = (~world.mated & (world.scores >= 1)).sum()
    assert (figure(figures, "FMR")["errors"], figure(figures, "FMR")["comparisons"]) == (x, (~world.mated).sum())
    assert run.read(SUBJECTS).height == 36
    assert figure(figures, "FNMR")["comparisons"] == world.mated.sum()
    assert not any(f["metric"] in ("FRR", "GFRR") for f in figures)
    assert "FRR and GFRR are left out" in notices(run)


def test_a_log_without_all_mated_comparisons_gives_no_rate_of_misses_that_counts_them(world, people, audit, tmp_path):
    mated = pl.col("probe_subject") == pl.col("reference_subject")
    world.tidy.filter(~(mated & (pl.col("probe") == "p3"))).write_csv(tmp_path / "log.csv")
    run = audit(tmp_path / "log.csv", subjects=people, threshold=1.0)
    assert "FRR and GFRR are left out, because they would count the others as misses" in notices(run)
    metrics = {f["metric"] for f in evidence(run)}
    assert "FNMR" in metrics
    assert not metrics & {"FRR", "GFRR"}
    world.tidy.write_csv(tmp_path / "whole.csv")
    whole = audit(tmp_path / "whole.csv", threshold=1.0, complete=True)
    assert {"FRR", "GFRR"} <= {f["metric"] for f in evidence(whole)}


def test_a_log_goes_through_evaluate_and_report(world, people, audit, tmp_path):
    world.tidy.write_csv(tmp_path / "log.csv")
    run = audit(tmp_path / "log.csv", subjects=people, threshold=1.0)
    figures = evidence(run)
    x = (~world.mated & (world.scores >= 1)).sum()
    fmr = figure(figures, "FMR")
    assert (fmr["errors"], fmr["comparisons"], fmr["subjects"]) == (x, (~world.mated).sum(), 12)
    page = (run.path / "report" / "index.html").read_text()
    assert "logged pictures" in page
    assert str(tmp_path) not in page


def test_the_report_names_no_picture_of_the_log(world, audit, tmp_path):
    scores = world.tidy.with_columns(score=pl.when(pl.col("probe").is_in(["p4", "p7"])).then(None).otherwise("score"))
    scores[1:].with_columns(pl.col("probe", "reference") + "-secret").write_csv(tmp_path / "log.csv")
    run = audit(tmp_path / "log.csv", threshold=1.0)
    assert "secret" in notices(run)
    evidence(run)
    assert "secret" not in (run.path / "report" / "index.html").read_text()


def test_without_a_threshold_the_report_says_so_and_not_that_nothing_was_compared(world, audit, tmp_path):
    world.tidy.write_csv(tmp_path / "log.csv")
    run = audit(tmp_path / "log.csv", system="vendor")
    evidence(run)
    page = (run.path / "report" / "index.html").read_text()
    assert "At which threshold it is used was not said" in page
    assert "Nothing was compared" not in page


@pytest.mark.parametrize("stage", [match, lambda run, loaded, executor: replay(run, loaded, executor, 1)])
def test_a_log_is_neither_replayed_nor_matched_again(stage, world, audit, tmp_path):
    world.tidy.write_csv(tmp_path / "log.csv")
    run = audit(tmp_path / "log.csv")
    with pytest.raises(InputError, match="comes from a score log"):
        stage(run, reload(run.manifest()["scenario"]), None)
    assert run.done("match")


def test_a_log_that_lists_no_failure_knows_of_none(world, people, audit, tmp_path):
    # A vendor's log without the rows of six probes whose faces were never found: nobody can tell.
    world.tidy.filter(~pl.col("probe").is_in([f"p{i}" for i in range(6)])).write_csv(tmp_path / "log.csv")
    figures = evidence(run := audit(tmp_path / "log.csv", subjects=people, threshold=1.0))
    for metric in ("FTA", "FTE"):
        row = figure(figures, metric, point=None)
        assert (row["value"], row["comparisons"]) == (None, 0)
        assert row["method"] == "not known from this log: it lists no failures"
    assert not {"FAR", "FRR", "GFRR"} & {f["metric"] for f in figures}
    assert {"FMR", "FNMR"} <= {f["metric"] for f in figures}
    assert "say --complete" in notices(run)
    rest = json.loads((run.path / "evidence.json").read_text())
    assert "FTA" not in {d["metric"] for d in rest["differentials"]}
    assert not any("FTA" in row["metrics"] for row in rest["indices"])
    page = (run.path / "report" / "index.html").read_text()
    assert "is not known from this log: it lists no failures" in page[: page.index("At a glance")]
    assert "Nothing failed" not in page


def test_a_log_knows_what_failed_if_it_lists_it_or_is_said_to_be_complete(world, audit, tmp_path):
    world.tidy.write_csv(tmp_path / "log.csv")
    whole = evidence(audit(tmp_path / "log.csv", threshold=1.0, complete=True))
    assert [figure(whole, m, point=None)["value"] for m in ("FTA", "FTE")] == [0, 0]
    assert {"FAR", "FRR", "GFRR"} <= {f["metric"] for f in whole}
    failed = world.tidy.with_columns(score=pl.when(pl.col("probe") == "p3").then(None).otherwise("score"))
    failed.write_csv(tmp_path / "failed.csv")
    listed = evidence(run := audit(tmp_path / "failed.csv", threshold=1.0))
    assert figure(listed, "FTA", point=None)["value"] == 1 / 20
    assert "--complete" not in notices(run)


def test_where_nobody_knows_who_is_who_no_number_of_people_is_said(world, audit, tmp_path):
    sexes = dict(zip(world.people["subject"], world.people["sex"], strict=True))
    sided = world.tidy.with_columns(
        pl.Series("mated", world.mated.ravel()),
        *(pl.col(f"{side}_subject").replace_strict(sexes).alias(f"{side}_sex") for side in ("probe", "reference")),
    )
    sided.drop("probe_subject", "reference_subject").write_csv(tmp_path / "log.csv")
    run = audit(tmp_path / "log.csv", threshold=1.0, groups=("sex",))
    assert {f["subjects"] for f in evidence(run)} == {None}
    rest = json.loads((run.path / "evidence.json").read_text())
    assert {d["subjects"] for d in rest["differentials"]} == {None}
    assert not any(re.search(r"\d (people|person)", d["words"]) for d in rest["differentials"])
    assert rest["planning"] == []
    report_ = run.path / "report"
    for path in report_.glob("*.csv"):
        frame = pl.read_csv(path, infer_schema=False)
        for name in {"people", "people_compared", "mated_people", "subjects"} & set(frame.columns):
            assert set(frame[name]) == {"not known"}, (path.name, name)
    page = (report_ / "index.html").read_text()
    first = page[page.index('id="found"') : page.index("At a glance")]
    assert "It is not known who is who in this log" in first
    assert "one person as one piece of evidence" not in page
    read = re.sub(r"<script.*?</script>|<[^>]+>", " ", page[: page.index('id="terms"')], flags=re.S)
    assert "people not known" in read
    assert not re.search(r"\b(16|20|36|\d,\d+) people", read)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_people_table_may_be_separated_as_a_spreadsheet_saves_it(separator, world, people, audit, tmp_path):
    world.tidy.write_csv(tmp_path / "log.csv")
    world.people.write_csv(tmp_path / "other.csv", separator=separator)
    one, other = (
        audit(tmp_path / "log.csv", subjects=path, threshold=1.0) for path in (people, tmp_path / "other.csv")
    )
    assert_frame_equal(one.read(SUBJECTS), other.read(SUBJECTS))


def test_what_was_guessed_of_a_people_table_is_said(world, audit, tmp_path):
    world.tidy.write_csv(tmp_path / "log.csv")
    world.people.rename({"subject": "Name"}).write_csv(tmp_path / "named.csv")
    said = notices(audit(tmp_path / "log.csv", subjects=tmp_path / "named.csv", threshold=1.0))
    assert "named.csv: its first column, 'Name', is read as the ids of people" in said
    assert "named.csv: 'sex' read as groups (else say --group)" in said
    world.people.select("subject").write_csv(tmp_path / "bare.csv")
    run = audit(tmp_path / "log.csv", subjects=tmp_path / "bare.csv", threshold=1.0)
    assert "bare.csv: has no other column than the ids, so no groups are known" in notices(run)
    assert {f["probe_group"] for f in evidence(run)} == {"all"}


def test_labels_that_differ_only_in_case_or_spaces_are_named(world, audit, tmp_path):
    world.tidy.write_csv(tmp_path / "log.csv")
    labels = ["North east", "north  East", "south"] * 4
    world.people.select("subject", region=pl.Series(labels)).write_csv(tmp_path / "people.csv")
    said = notices(audit(tmp_path / "log.csv", subjects=tmp_path / "people.csv", groups=("region",), threshold=1.0))
    assert "the labels 'North east' and 'north  East' of region differ only in case or spaces" in said
    assert "south" not in said


@pytest.mark.parametrize(
    ("threshold", "direction", "words"),
    [(60.0, "similarity", "nothing matches"), (-60.0, "similarity", "everything matches"),
     (60.0, "distance", "everything matches"), (-60.0, "distance", "nothing matches"), (1.0, "similarity", None)],
)  # fmt: skip
def test_a_threshold_outside_the_scores_is_told_first(threshold, direction, words, world, audit, tmp_path):
    sign = -1 if direction == "distance" else 1
    world.tidy.with_columns(pl.col("score") * sign).write_csv(tmp_path / "log.csv")
    run = audit(tmp_path / "log.csv", threshold=threshold, direction=direction)
    evidence(run)
    page = (run.path / "report" / "index.html").read_text()
    for place in (notices(run), page[: page.index("At a glance")]):
        assert (f"outside the scores of th{'e' if place == notices(run) else 'is'} log" in place) == bool(words)
        assert words is None or words in place


def test_the_ids_that_a_matrix_brings_are_said_to_be_read_as_ids(world, audit, tmp_path):
    names = [f"s{i:02}" for i in range(12)]
    square = pl.DataFrame(world.scores[:12, :12] + 4 * np.eye(12), schema=names)
    square.insert_column(0, pl.Series("", names)).write_csv(tmp_path / "m.csv")
    said = notices(audit(tmp_path / "m.csv", form="matrix", threshold=1.0))
    assert "m.csv: read the first column as the ids of rows and the first line as the ids of columns" in said
    square[:, 1:].write_csv(tmp_path / "bare.csv", include_header=False)
    said = notices(audit(tmp_path / "bare.csv", form="matrix", threshold=1.0, diagonal_mated=True))
    assert "as the ids of" not in said

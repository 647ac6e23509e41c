"""`testbed audit` on every form of a log: figures worked by hand, and the same from the same scores."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy import stats

from testbed.runs.tables import ATTEMPTS, COUNTS, MOMENTS, PAIRS, REFERENCES, TALLIES, THRESHOLDS
from testbed.scorelogs.options import LogOptions
from testbed.scorelogs.stage import import_log

# Four people, one probe and one reference each; -1 stands for no score: d's face was never found.
#             a   b   c   d
SCORES = [[ 90, 60, 20, 10],
          [ 30, 80, 55, -1],
          [ 10, 20, 40, 15],
          [ -1, -1, -1, -1]]  # fmt: skip
NAMES = "abcd"
MATRIX = ("--missing", -1, "--threshold", 50)


def text(rows):
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def figures(run):
    """(metric, operating point) → figure, of everybody."""
    rows = json.loads((run / "evidence.json").read_text())["figures"]
    return {(f["metric"], f["operating_point"]): f for f in rows if f["probe_group"] == "all"}


def counted(figure):
    return figure["errors"], figure["comparisons"], figure["subjects"]


def test_a_matrix_gives_the_figures_worked_by_hand(testbed, tmp_path):
    (tmp_path / "face.csv").write_text(text(SCORES))
    result = testbed("audit", "--matrix", "face.csv", "--diagonal-mated", *MATRIX, "--out", "out")
    assert result.returncode == 0, result.stderr
    found = figures(tmp_path / "out")

    # Strangers with a score: a's row 3, b's 2, c's 3; at 50 a matches b, and b matches c.
    fmr = found["FMR", "own"]
    assert (fmr["value"], *counted(fmr)) == (2 / 8, 2, 8, 4)
    # Both ways: ab 1 of 2, ac 0 of 2, ad 0 of 1, bc 1 of 2, cd 0 of 1; p = 1/4, so e = ½, −½, −¼, ½, −¼ and
    # S = −¼, 1, −¼, −½: ΣS² = 1.375, Σe² = .875, V = .875/8² (the floor), and one person, b, carries the errors.
    # Four people are two disjoint pairs, so the interval is Clopper and Pearson's of half an error in two.
    assert fmr["low"] == pytest.approx(stats.beta.ppf(0.025, 0.5, 2.5))
    assert fmr["high"] == pytest.approx(stats.beta.ppf(0.975, 1.5, 1.5))
    assert fmr["verdict"] == "insufficient"

    # Mated with a score: a 90, b 80, c 40. One trial a person: Clopper and Pearson's 1 of 3.
    exact = stats.binomtest(1, 3).proportion_ci(method="exact")
    assert counted(found["FNMR", "own"]) == (1, 3, 3)
    assert [found["FNMR", "own"][end] for end in ("low", "high")] == pytest.approx([exact.low, exact.high])
    # d's probe has no score at all: 1 failure to acquire of 4; missed are c and d.
    (fta,) = [f for (metric, _), f in found.items() if metric == "FTA"]
    assert (fta["errors"], fta["comparisons"]) == (1, 4)
    assert found["FRR", "own"]["value"] == 2 / 4
    assert found["FAR", "own"]["value"] == pytest.approx(2 / 8 * 3 / 4)

    # What was left out, and what treating it the other way would make of it: said on the screen and in the report.
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    for place in (result.stdout, page):
        assert "5 of 16 comparisons have no score (1 mated, 4 non-mated)" in place
        assert "failures to acquire" in place
        assert "counted as matches FMR would be 6/12 (50.000%) and FNMR 1/4 (25.000%)" in place
        assert "as non-matches FMR 2/12 (16.667%) and FNMR 2/4 (50.000%)" in place


def test_two_lists_of_scores_say_that_their_intervals_are_too_narrow(typed, tmp_path):
    # The scores of the matrix above, genuine and impostor, the missing ones among them.
    own = np.eye(4, dtype=bool)
    (tmp_path / "genuine").write_text("\n".join(map(str, np.array(SCORES)[own])))
    (tmp_path / "impostor").write_text("\n".join(map(str, np.array(SCORES)[~own])))
    (tmp_path / "claims.yaml").write_text("claims:\n- says: fine\n  metric: FMR\n  at_most: 0.9\n  groups: all\n")
    result = typed("audit", "genuine", "impostor", *MATRIX, "--claims", "claims.yaml", "--out", "out")
    assert result.returncode == 0, result.stderr
    found = figures(tmp_path / "out")
    exact = stats.binomtest(2, 8).proportion_ci(method="exact")
    assert [found["FMR", "own"][k] for k in ("errors", "comparisons")] == [2, 8]
    assert [found["FMR", "own"][end] for end in ("low", "high")] == pytest.approx([exact.low, exact.high])
    assert [found["FNMR", "own"][k] for k in ("errors", "comparisons")] == [1, 3]
    for place in (result.stdout, (tmp_path / "out" / "report" / "index.html").read_text()):
        assert "assume independent comparisons and are too narrow, and no claim can be supported" in place
    evidence = json.loads((tmp_path / "out" / "evidence.json").read_text())
    assert {claim["verdict"] for claim in evidence["claims"]} == {"untestable"}


def written(folder, scores):
    """The scores of `(n, n)` people, one picture a side, in every form of comparisons that names people: → options."""
    n = len(scores)
    names, shown = list(NAMES[:n]), [["" if np.isnan(x) else repr(float(x)) for x in row] for row in scores]
    sided = [[name, *row] for name, row in zip(names, shown, strict=True)]
    tidy = pl.DataFrame({
        "probe": [f"p{i}" for i in range(n) for _ in names], "reference": names * n,
        "score": [x for row in shown for x in row],
        "probe_subject": [name for name in names for _ in names], "reference_subject": names * n,
    })  # fmt: skip
    (folder / "sided.csv").write_text(text([["", *names], *sided]))
    (folder / "headed.csv").write_text(text([names, *shown]))
    (folder / "bare.csv").write_text(text(shown))
    np.save(folder / "bare.npy", scores)
    (folder / "ids.txt").write_text("\n".join(names) + "\n")
    tidy.write_csv(folder / "tidy.csv")
    tidy.sample(fraction=1, shuffle=True, seed=1).write_parquet(folder / "tidy.parquet")
    named = tidy.with_columns(score=pl.when(pl.col("score") == "").then(pl.lit("nan")).otherwise("score"))
    five = named.select("reference_subject", "reference", "probe_subject", "probe", "score")
    five.write_csv(folder / "scores-5", separator=" ", include_header=False)
    five.drop("reference").write_csv(folder / "scores-4", separator=" ", include_header=False)
    apart = {"probe_ids": folder / "ids.txt", "reference_ids": folder / "ids.txt"}
    return {
        "sided.csv": {"form": "matrix"}, "headed.csv": {"form": "matrix", "probe_ids": folder / "ids.txt"},
        "bare.csv": {"form": "matrix", **apart}, "bare.npy": {**apart, "diagonal_mated": True},
        "tidy.csv": {}, "tidy.parquet": {}, "scores-5": {}, "scores-4": {},
    }  # fmt: skip


@settings(max_examples=6, deadline=None, phases=[Phase.generate])  # an example takes a second: too long to shrink
@given(seed=st.integers(0, 10**6), n=st.integers(3, 4), direction=st.sampled_from(["similarity", "distance"]))
def test_the_same_scores_in_every_form_give_the_same_tables(tmp_path_factory, seed, n, direction):
    rng, folder = np.random.default_rng(seed), tmp_path_factory.mktemp("forms")
    scores = rng.integers(0, 60, (n, n)) + np.diag(rng.integers(70, 90, n)).astype(float)
    scores[rng.random((n, n)) < 0.1] = np.nan
    scores[0, 0], scores[0, 1] = 95, 20  # something mated, something not
    if direction == "distance":
        scores = 100 - scores
    first = None
    for number, (name, options) in enumerate(written(folder, scores).items()):
        given_ = LogOptions((folder / name,), threshold=50.0, direction=direction, system="v", **options)
        run = import_log(given_, folder / f"run{number}")
        tables = [run.read(table) for table in (COUNTS, THRESHOLDS, TALLIES, MOMENTS, PAIRS)]
        states = [run.read(table)["subject", "state"].sort("subject") for table in (ATTEMPTS, REFERENCES)]
        first = first or [*tables, *states]
        for one, other in zip(first, [*tables, *states], strict=True):
            assert_frame_equal(one, other)

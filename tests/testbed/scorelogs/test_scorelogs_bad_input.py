"""Wrong input gets one sentence, and leaves nothing behind."""

import numpy as np
import polars as pl
import pytest

from pipelines.errors import InputError

HEADER = "probe,reference,score,probe_subject,reference_subject\n"
GOOD = "p1,r1,3,a,a\np1,r2,1,a,b\np2,r1,0,b,a\np2,r2,4,b,b\n"


@pytest.fixture
def refused(audit, tmp_path):
    """What is said of a log's content; bytes, text or an array."""

    def _refused(content, name="log.csv", **options):
        path = tmp_path / name
        if isinstance(content, np.ndarray):
            np.save(path, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(InputError) as caught:
            audit(path, **options)
        assert not list(tmp_path.glob("run*"))
        said = str(caught.value).replace(f"{tmp_path}/", "")
        assert "\n" not in said
        return said

    return _refused


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("p1,r1,3,a,a\np2,r2,4,b,b\n", "log.csv: has no non-mated comparison with a score"),
        ("p1,r2,3,a,b\np2,r1,4,b,a\n", "log.csv: has no mated comparison with a score"),
        (GOOD.replace("3,a", "nan,a").replace("4,b", ",b"), "log.csv: has no mated comparison with a score"),
        ("p1,r1,3,a,a\np1,r2,3,a,b\n", "log.csv: all 2 scores are 3; name the column"),
        ("p1,r1,1,a,a\np1,r2,3,a,b\n", "mated scores average 1 and non-mated ones 3, so these are no similarities"),
        (GOOD + "p1,r1,2,a,a\n", "rows 2 and 6 score the same probe and reference differently (3 and 2)"),
        (GOOD + "p1,r3,2,b,a\n", "row 6: the probe 'p1' is of the person 'b', and of another in an earlier row"),
        (GOOD + "p3,r1,high,c,a\n", "row 6: the score 'high' is not a number"),
        (GOOD + "p3,r1,\"0,5\",c,a\n", "row 6: the score '0,5' is not a number"),
        (GOOD + "p3,,5,c,a\n", "row 6: a probe, reference or subject has no id"),
        (GOOD + "p3,r1,5,c,a,x\n", "cannot be read as a score log"),
        ("", "log.csv: has a header but no rows"),
    ],
)  # fmt: skip
def test_rows_that_contradict_themselves_are_refused(rows, said, refused):
    assert said in refused(HEADER + rows)


def test_distances_said_to_be_similarities_and_the_other_way_round_name_the_option(refused):
    assert "say --distance" in refused(HEADER + "p1,r1,1,a,a\np1,r2,3,a,b\n")
    assert "these are no distances; drop --distance" in refused(HEADER + GOOD, direction="distance")


def test_two_files_may_be_swapped_and_that_is_said_before_the_option(audit, tmp_path):
    for name, scores in (("low", "1\n2\n"), ("high", "5\n6\n")):
        (tmp_path / name).write_text(scores)
    for files, direction, option in ((("low", "high"), "similarity", "say"), (("high", "low"), "distance", "drop")):
        with pytest.raises(InputError, match=f"mated scores first, then .* swapped; else {option} --distance"):
            audit(*(tmp_path / name for name in files), direction=direction)


def test_a_column_that_is_not_there_is_asked_for_by_its_option(refused):
    assert (
        "no column is known as the score; its columns are probe, ref, x; name it with --column score=NAME"
        in refused("probe,ref,x\np1,q,3\n", form="tidy")
    )
    assert "has no column 'likeness' for score" in refused(HEADER + GOOD, columns={"score": "likeness"})
    assert "nothing says which comparisons are mated" in refused("probe,reference,score\np,r,1\n")


def test_a_person_in_two_groups_is_refused(refused):
    header = "probe,reference,score,probe_subject,reference_subject,probe_sex,reference_sex\n"
    said = refused(header + "p1,r1,3,a,a,f,f\np2,r1,1,b,a,m,m\n", groups=("sex",))
    assert "row 3: the person 'a' is in the group 'm', and in an earlier row in 'f'" in said


def test_an_unknown_group_is_refused(refused, people):
    assert "has no column 'age'; its columns are subject, sex" in refused(
        HEADER + GOOD, subjects=people, groups=("age",)
    )
    assert "no column is known as the probe_age" in refused(HEADER + GOOD, groups=("age",))


def test_a_person_without_a_row_in_the_subjects_table_is_refused(refused, people):
    assert "row 2: the person 'a' has no row in the subjects table" in refused(HEADER + GOOD, subjects=people)


def test_empty_files_are_refused(refused):
    assert "log.csv: is empty" in refused("")
    assert "log.csv: is empty" in refused("\n\n")
    assert "log.parquet: is empty (0 bytes)" in refused(b"", "log.parquet")
    assert "log.parquet: cannot be read as a score log" in refused(b"not parquet", "log.parquet")


@pytest.mark.parametrize(
    ("content", "name", "options", "said"),
    [
        (
            "1,2\n3,4\n5,6\n7,8\n",
            "m.csv",
            {"form": "matrix", "diagonal_mated": True},
            "the matrix is not square (4 × 2)",
        ),
        ("1,2\n3,4\n", "m.csv", {"form": "matrix"}, "nothing says who is who; say --diagonal-mated"),
        ("1,2,3\n4,5\n7,8,9\n", "m.csv", {"diagonal_mated": True}, "row 2 has 2 scores where others have 3"),
        ("1,2\n3,x\n", "m.csv", {"diagonal_mated": True}, "row 2: the score 'x' (the 2. of the row) is not a number"),
        (np.zeros((2, 2, 2)), "m.npy", {"diagonal_mated": True}, "is no matrix of numbers"),
        (np.zeros((2, 3)), "m.npy", {"diagonal_mated": True}, "the matrix is not square (2 × 3)"),
        (b"\x80\x04pickle", "m.npy", {"diagonal_mated": True}, "cannot be read as NPY"),
        (HEADER + GOOD, "log.csv", {"diagonal_mated": True, "form": "tidy"}, "which has no diagonal"),
        (HEADER + GOOD, "log.csv", {"form": "genuine-impostor"}, "is two files"),
    ],
)
def test_matrices_that_say_too_little_are_refused(content, name, options, said, refused):
    assert said in refused(content, name, **options)


def test_a_pickled_array_is_never_loaded(refused):
    assert "cannot be read as NPY" in refused(np.array([[object()]]), "m.npy", diagonal_mated=True)


def test_more_people_than_can_be_tallied_are_refused(refused, monkeypatch):
    monkeypatch.setattr("testbed.scorelogs.stage.MOST_TALLIES", 10)
    assert "name who is who" in refused(HEADER + GOOD)


def test_a_label_that_the_report_uses_itself_is_refused(refused):
    header = "probe,reference,score,probe_subject,reference_subject,probe_sex,reference_sex\n"
    rows = pl.DataFrame([("p1", "r1", 3, "a", "a", "all", "all"), ("p1", "r2", 1, "a", "b", "all", "m")], orient="row")
    assert "the label 'all' of sex is reserved" in refused(
        header + rows.write_csv(include_header=False), groups=("sex",)
    )

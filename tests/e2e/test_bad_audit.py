"""A log that says nothing, or contradicts itself: exit code 2, one sentence, and nothing left behind."""

import re

import numpy as np
import pytest

HEADER = "probe,reference,score,probe_subject,reference_subject\n"
GOOD = "p1,r1,3,a,a\np1,r2,1,a,b\np2,r1,0,b,a\np2,r2,4,b,b\n"
PEOPLE = "subject,sex\na,f\nb,m\n"
CLAIM = "claims:\n- says: good\n  metric: FMR\n  at_most: 0.1\n  groups: [{}]\n"


def sentence(result):
    """What was said, where it is one sentence with exit code 2 after what tells progress."""
    assert result.returncode == 2, (result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    (said,) = [line for line in result.stderr.splitlines() if not re.match(r"\w+: \d+/\d+", line)]
    assert said.startswith("testbed: ")
    return said.removeprefix("testbed: ")


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        ({"s.csv": HEADER + "p1,r1,3,a,a\np2,r2,4,b,b\n"}, (), ["s.csv", "no non-mated comparison", "both kinds"]),
        ({"s.csv": HEADER + "p1,r2,3,a,b\np2,r1,4,b,a\n"}, (), ["s.csv", "no mated comparison", "both kinds"]),
        ({"s.csv": HEADER + "p1,r1,3,a,a\np1,r2,3,a,b\n"}, (), ["s.csv", "all 2 scores are 3", "column"]),
        ({"s.csv": HEADER + "p1,r1,1,a,a\np1,r2,3,a,b\n"}, (), ["s.csv", "mated scores average 1", "say --distance"]),
        ({"s.csv": HEADER + GOOD}, ("--distance",), ["s.csv", "mated scores average 3.5", "drop --distance"]),
        ({"s.csv": HEADER + GOOD + "p1,r1,2,a,a\n"}, (), ["s.csv", "rows 2 and 6", "(3 and 2)", "keep one"]),
        ({"s.csv": HEADER + GOOD, "g.csv": PEOPLE + "a,m\n"}, ("--groups", "g.csv"), ["g.csv", "lines 2 and 4", "'a'"]),
        ({"s.csv": HEADER + GOOD, "g.csv": PEOPLE}, ("--groups", "g.csv", "--group", "age"),
         ["g.csv", "no column 'age'", "subject, sex"]),
        ({"s.csv": HEADER + GOOD, "g.csv": "subject,sex\na,f\n"}, ("--groups", "g.csv"), ["s.csv", "'b' has no row"]),
        ({"s.csv": HEADER + GOOD + "p3,r1,high,c,a\n"}, (), ["s.csv", "row 6", "'high'", "not a number"]),
        ({"m.csv": "1,2\n3,4\n5,6\n7,8\n"}, ("--matrix", "m.csv", "--diagonal-mated"),
         ["m.csv", "not square (4 × 2)", "--probe-ids"]),
        ({"s.csv": ""}, (), ["s.csv", "empty"]),
        ({"s.csv": HEADER}, (), ["s.csv", "header but no rows"]),
        ({"s.parquet": ""}, (), ["s.parquet", "empty (0 bytes)"]),
        ({}, ("gone.csv",), ["gone.csv", "no such file"]),
        ({"s.csv": HEADER + GOOD}, ("--threshold", "nan"), ["--threshold nan"]),
        ({"s.csv": HEADER + GOOD}, ("--percent-rule", "magic"), ["'magic'", "CompreFace"]),
        ({"s.csv": HEADER + GOOD, "g.csv": PEOPLE, "c.yaml": CLAIM.format("z")},
         ("--groups", "g.csv", "--threshold", 2, "--claims", "c.yaml"), ["c.yaml:5", "no group 'z'", "all, f, m"]),
        ({"s.csv": HEADER + GOOD, "c.yaml": CLAIM.replace("FMR", "FRM").format("f")}, ("--claims", "c.yaml"),
         ["c.yaml:3", "FMR"]),
        ({"s.csv": HEADER + GOOD}, ("--claims", "gone.yaml"), ["gone.yaml", "no such file"]),
    ],
    ids=["no strangers", "no mated", "all equal", "are distances", "are similarities", "contradiction", "two groups",
         "no such group", "no row for a person", "not a number", "not square", "empty", "no rows", "empty parquet",
         "no file", "threshold", "percent rule", "claim on no group", "claim on no metric", "no claims"],
)  # fmt: skip
def test_a_wrong_log_gets_one_sentence_and_leaves_nothing(typed, tmp_path, files, options, words):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    logs = [name for name in files if name.startswith("s.")]
    said = sentence(typed("audit", *logs, *options))
    for word in words:
        assert word in said, f"{word!r} not in: {said}"
    assert str(tmp_path) not in said  # paths are quoted as they were given
    assert {path.name for path in tmp_path.iterdir()} == set(files)


def test_the_program_itself_ends_so(testbed, tmp_path):
    """Once as a user starts it; the cases above are the same entry point without the start."""
    (tmp_path / "s.csv").write_text(HEADER + "p1,r1,1,a,a\np1,r2,3,a,b\n")
    assert "say --distance" in sentence(testbed("audit", "s.csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]


def test_a_folder_that_was_there_is_never_cleared_away(typed, tmp_path):
    (tmp_path / "s.csv").write_text(HEADER + GOOD)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("keep me")
    assert "not empty" in sentence(typed("audit", "s.csv", "--out", "full"))
    assert (tmp_path / "full" / "letter.txt").read_text() == "keep me"


def test_a_prior_of_nothing_or_certainty_is_refused(typed, tmp_path):
    rng = np.random.default_rng(1)
    rows = [f"p{i},r{j},{rng.normal(0.3 if i == j else 0.8, 0.1):.3f},s{i},s{j}\n" for i in range(8) for j in range(8)]
    (tmp_path / "s.csv").write_text(HEADER + "".join(rows))
    made = typed("audit", "s.csv", "--distance", "--out", "out", "--percent-rule", "face_recognition wiki")
    assert made.returncode == 0, made.stderr
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    for prior in ("0", "1", "1/1", "-0.5", "often"):
        said = sentence(typed("decode", 40, "--run", "out", f"--prior={prior}"))
        assert "prior" in said
        assert "1/1000" in said or "between 0 and 1" in said
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("typo", "words"),
    [("audti", "did you mean `audit`?"), ("frobnicate", "choose among audit, ")],
)
def test_a_mistyped_command_is_told_the_nearest(typed, typo, words):
    said = sentence(typed(typo))
    assert repr(typo) in said
    assert words in said


def test_a_scenario_that_is_not_there_is_told_those_that_are(typed):
    said = sentence(typed("run", "scenarios/demo2.yaml"))
    assert said.startswith("scenarios/demo2.yaml: there is no such file")
    assert said.count("demo2.yaml") == 1
    for name in ("station.yaml", "london-set.yaml", "recorded-video.yaml"):
        assert name in said


def test_a_path_is_quoted_as_it_was_given_and_not_where_a_link_leads(typed, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "scenario.yaml").write_text(
        "title: t\nsubjects: {table: link/gone.csv}\nreferences: {images: 'link/none/{subject}.png'}\n"
        "probes: {kind: stills, images: 'link/{subject}.png'}\nconditions: [clean]\nsystems: [{pipeline: dlib}]\n"
    )
    result = typed("run", "scenario.yaml")
    assert result.returncode == 2
    assert "there is no file link/gone.csv" in result.stderr
    assert "there is no folder link/none" in result.stderr
    assert "real" not in result.stderr.replace(str(tmp_path), "")

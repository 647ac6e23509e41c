"""Wrong truth and wrong labels: a sheet is written, filled in and taken back; label errors stay with the run."""

import csv
import json
import stat

import numpy as np
import pytest

AUDIT = ("audit", "scores.csv", "--groups", "people.csv", "--threshold", 1.0, "--distance", "--out", "run")


@pytest.fixture
def audited(testbed, tmp_path):
    """An audited log of 24 people in two groups; s00 and s01 are one person under two names."""
    rng = np.random.default_rng(4)
    look = rng.normal(size=(24, 6))
    look[12:] = look[12:] * 0.5 + 1
    look[1] = look[0] + 0.01
    lines = ["probe,reference,probe_subject,reference_subject,score"]
    for i in range(24):
        for j in range(24):
            distance = np.linalg.norm(look[i] + rng.normal(size=6) * 0.1 - look[j])
            lines.append(f"cam{i:02},photo{j:02},s{i:02},s{j:02},{distance:.6f}")
    (tmp_path / "scores.csv").write_text("\n".join(lines) + "\n")
    people = "\n".join(f"s{i:02},{'ab'[i // 12]}" for i in range(24))
    (tmp_path / "people.csv").write_text(f"subject,group\n{people}\n")
    return tmp_path, lambda *more: testbed(*AUDIT, *more)


def evidence(folder):
    return json.loads((folder / "run/evidence.json").read_text())


def figure(found, group):
    wanted = ("FMR", group, group, "own")
    names = ("metric", "probe_group", "reference_group", "operating_point")
    return next(row for row in found if tuple(row[name] for name in names) == wanted)


def test_a_checked_sheet_corrects_the_figures_and_stays_with_the_run(testbed, audited):
    folder, audit = audited
    assert audit().returncode == 0
    written = testbed("check", "run")
    assert written.returncode == 0, written.stderr
    assert "testbed evaluate run --checked run/check.csv" in written.stdout
    path = folder / "run/check.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    pairs = {(row["first"], row["second"]) for row in rows}
    # Counted again from the log itself.
    log = np.loadtxt(folder / "scores.csv", delimiter=",", skiprows=1, usecols=4).reshape(24, 24)
    near = np.argwhere((log <= 1.0) & ~np.eye(24, dtype=bool))
    matched = {(f"s{min(pair):02}", f"s{max(pair):02}") for pair in near}
    assert matched < pairs
    assert len(rows) == len(pairs) == 2 * len(matched)
    assert all(row["same_person"] == "" and row["first_images"].startswith("reference: photo") for row in rows)
    again = testbed("check", "run")
    assert (again.returncode, "half filled in" in again.stderr) == (2, True)

    for row in rows:
        row["same_person"] = "yes" if (row["first"], row["second"]) == ("s00", "s01") else "no"
    with (folder / "filled.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    result = testbed("evaluate", "run", "--checked", "filled.csv")
    assert result.returncode == 0, result.stderr
    n = len(matched)
    assert f"falsely matched pairs of people, {n} in all: 1 found to be one person under two names" in result.stdout
    assert f"random other pairs: 0 found to be one person under two names, {n} two people, 0 unclear" in result.stdout
    assert "not answered" not in result.stdout
    assert "the report is stale now; make it again: testbed report run" in result.stdout
    found = evidence(folder)
    recorded, row = figure(found["figures"], "a"), figure(found["corrections"]["figures"], "a")
    assert (row["errors"], row["comparisons"], row["value"]) == tuple(
        recorded[name] for name in ("errors", "comparisons", "value")
    )
    assert (row["corrected_errors"], row["corrected_comparisons"]) == (row["errors"] - 2, row["comparisons"] - 2)

    again = testbed("evaluate", "run")
    assert "kept from before: answers of filled.csv (drop: --checked none)" in again.stdout
    assert evidence(folder) == found
    assert testbed("report", "run").returncode == 0
    page = (folder / "run/report/index.html").read_text()
    assert 'id="corrections"' in page
    assert "1 turned out to be one person, so that the match was right" in page
    for report in (folder / "run/report").iterdir():
        assert "s00" not in report.read_text()
        assert "check.csv" not in report.read_text()


def test_a_half_filled_sheet_says_what_is_not_answered_and_none_drops_it(typed, audited):
    folder, _ = audited
    typed(*AUDIT)
    typed("check", "run", "--out", "sheet.csv")
    head, *rows = (folder / "sheet.csv").read_text().splitlines()
    (row,) = (row for row in rows if {"s00", "s01"} == set(row.split(",")[:2]))
    (folder / "half.csv").write_text("\n".join([head, row.removesuffix('""') + "yes", ""]))
    result = typed("evaluate", "run", "--checked", "half.csv")
    false = len(rows) // 2
    assert f"not answered: {len(rows) - 1} pairs, {false - 1} of them falsely matched" in result.stdout
    typed("report", "run")
    page = (folder / "run/report/index.html").read_text()
    assert f"<b>{false - 1} have no answer</b>" in page
    assert f"1 found to be one person under two names, 0 two people, 0 unclear; {false - 1} of the {false}" in page
    assert "kept" not in typed("evaluate", "run", "--checked", "none").stdout
    assert evidence(folder)["corrections"] is None


def test_a_stranger_returned_by_a_search_is_asked_about_and_a_second_name_corrects_fpir(typed, tmp_path):
    """Thirty enrolled; of ten strangers three are returned somebody, and one of these is enrolled as e00."""
    rng = np.random.default_rng(3)
    lines = ["probe,rank,reference,score,probe_subject,reference_subject"]
    for i in range(40):
        who = f"e{i:02}" if i < 30 else f"x{i:02}"
        scores = np.sort(rng.uniform(0.2, 0.5, 4))[::-1]
        names = rng.permutation([j for j in range(30) if j != i])[:4]
        if i < 30:
            names[0], scores[0] = i, 0.9
        elif i < 33:
            names[0], scores[0] = i - 30, 0.8
        lines += [
            f"cam{i:02},{r + 1},ph{j:02},{s:.4f},{who},e{j:02}"
            for r, (j, s) in enumerate(zip(names, scores, strict=True))
        ]
    (tmp_path / "lists.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "enrolled.txt").write_text("\n".join(f"e{i:02}" for i in range(30)) + "\n")
    done = typed("audit", "lists.csv", "--form", "candidates", "--threshold", 0.7, "--gallery", 30, "--enrolled",
                 "enrolled.txt", "--out", "run")  # fmt: skip
    assert done.returncode == 0, done.stderr
    typed("check", "run", "--out", "sheet.csv")
    with (tmp_path / "sheet.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    asked = {frozenset((row["first"], row["second"])) for row in rows}
    assert {frozenset(pair) for pair in (("x30", "e00"), ("x31", "e01"), ("x32", "e02"))} < asked
    assert len(rows) == 6
    (tmp_path / "half.csv").write_text("first,second,same_person\nx30,e00,yes\n")
    assert "not answered: 5 pairs, 2 of them" in typed("evaluate", "run", "--checked", "half.csv").stdout
    found = {(r["metric"], r["rank"]): r for r in evidence(tmp_path)["corrections"]["figures"]
             if r["probe_group"] == "all"}  # fmt: skip
    counts = ("errors", "comparisons", "corrected_errors", "corrected_comparisons")
    assert [found["FPIR", None][name] for name in counts] == [3, 10, 2, 9]
    assert [found["FNIR", 1][name] for name in counts] == [0, 30, 0, 31]
    assert typed("report", "run").returncode == 0
    assert "gallery of 30" in (tmp_path / "run/report/index.html").read_text()


def test_claims_stay_with_the_run_and_say_so_until_dropped(typed, audited):
    folder, _ = audited
    typed(*AUDIT)
    (folder / "claims.yaml").write_text("claims:\n- says: x\n  metric: FMR\n  at_most: 0.1\n  groups: all\n")
    told = typed("evaluate", "run", "--claims", "claims.yaml").stdout
    assert "FMR, all" in told
    assert "kept" not in told
    assert "kept from before: claims of claims.yaml (drop: --claims none)" in typed("evaluate", "run").stdout
    assert len(evidence(folder)["claims"]) == 1
    typed("evaluate", "run", "--claims", "none")
    assert evidence(folder)["claims"] == []


def test_label_errors_recompute_the_rates_and_stay_with_the_run(testbed, audited):
    folder, audit = audited
    (folder / "labels.csv").write_text("true,b,a\na,0.02,0.98\nb,0.95,0.05\n")
    result = audit("--label-errors", "labels.csv")
    assert result.returncode == 0, result.stderr
    found = evidence(folder)
    rows = found["label_sensitivity"]
    assert figure(rows, "b")["value"] == figure(found["figures"], "b")["value"]
    assert figure(rows, "b")["corrected"] > figure(rows, "b")["value"]
    sentence = "If labels of “group” are wrong as often as stated (labels.csv): "
    assert sentence in result.stdout
    page = (folder / "run/report/index.html").read_text()
    for told in (
        'id="labels"',
        sentence,
        "labels.csv",
        'id="indices"',
        "If all groups had one rate, differences as large as",
    ):
        assert told in page
    (folder / "labels.csv").unlink()
    assert testbed("evaluate", "run").returncode == 0
    assert evidence(folder)["label_sensitivity"] == rows


def test_where_nobody_knows_who_is_who_there_are_no_pairs_of_people_to_check(testbed, tmp_path):
    scores = [f"p{i},r{j},{0.1 + (i != j) + 0.01 * j},{str(i == j).lower()}" for i in range(8) for j in range(8)]
    (tmp_path / "bare.csv").write_text("\n".join(["probe,reference,score,mated", *scores]) + "\n")
    assert testbed("audit", "bare.csv", "--threshold", 0.5, "--distance", "--out", "run").returncode == 0
    result = testbed("check", "run")
    assert result.returncode == 2
    assert "does not say who is who" in result.stderr


WRONG = [
    (("evaluate", "run", "--label-errors", "x.csv"), "true,a,c\na,1,0\nc,0,1\n", ("x.csv", "group: a, b")),
    (("evaluate", "run", "--label-errors", "x.csv"), "true,a,b\na,1,0\nb,0.5,0.6\n", ("x.csv: row 3", "sum to 1")),
    (("evaluate", "run", "--checked", "x.csv"), "first,second,same_person\ns00,s99,no\n", ("x.csv: row 2", "s99")),
    (("evaluate", "run", "--checked", "y.csv"), "", ("y.csv", "cannot be read")),
    (("evaluate", "run", "--label-errors", "right.csv", "--checked", "y.csv"), "", ("y.csv", "cannot be read")),
    (
        ("evaluate", "run", "--claims", "x.csv"),
        "claims:\n- says: x\n  metric: FMR\n  at_most: 0.1\n  groups: [west]\n",
        ("x.csv:5", "there is no group 'west'"),
    ),
    (("check", "run", "--point", "given=3"), "", ("given=3", "own")),
    (("check", "run", "--cell", "scores"), "", ("scores", "scores--logged-pictures")),
    (("check", "run", "--out", "no/such/folder.csv"), "", ("no/such/folder.csv", "--out")),
]


def test_wrong_input_is_one_sentence_and_the_run_is_left_as_it_was(testbed, audited):
    folder, audit = audited
    audit()
    (folder / "right.csv").write_text("true,a,b\na,0.98,0.02\nb,0.02,0.98\n")
    before = (folder / "run/evidence.json").read_bytes(), (folder / "run/run.json").read_bytes()
    for command, text, words in WRONG:
        (folder / "x.csv").write_text(text)
        result = testbed(*command)
        assert result.returncode == 2, command
        assert "Traceback" not in result.stderr
        for word in words:
            assert word in result.stderr, command
        assert before == ((folder / "run/evidence.json").read_bytes(), (folder / "run/run.json").read_bytes()), command

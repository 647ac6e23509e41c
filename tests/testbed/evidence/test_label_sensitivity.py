"""Which attribute a table of label errors speaks of, what it does to rates, and what vanishes with it."""

import numpy as np
import polars as pl
import pytest

from pipelines.errors import InputError
from testbed.evidence.differentials import differentials_of
from testbed.evidence.intervals import rate_interval
from testbed.evidence.label_sensitivity import label_sensitivity_of, read_label_errors
from testbed.evidence.labels import recompute
from testbed.matching.people import people_of

PEOPLE = people_of(
    pl.DataFrame({
        "subject": [f"{i:02}" for i in range(12)],
        "skin": ["dark", "light", "unknown"] * 4,
        "sex": ["f", "f", "m", "m", "unknown", "unknown"] * 2,
    }), ["skin", "sex"], 1,
)  # fmt: skip
RIGHT = "true,a,b\na,1,0\nb,0,1\n"


@pytest.fixture
def write(tmp_path):
    def to_file(text, encoding="utf-8"):
        path = tmp_path / "m.csv"
        path.write_text(text, encoding=encoding)
        return path

    return to_file


def matrix(labels, wrong=0.02):
    share = wrong / (len(labels) - 1)
    rows = [[t, *(str(1 - wrong if t == a else share) for a in labels)] for t in labels]
    return "\n".join(",".join(row) for row in [["true", *labels], *rows]) + "\n"


def test_the_labels_decide_which_attribute_it_is(write):
    found = read_label_errors(write(matrix(["light", "dark", "unknown"])), PEOPLE)
    assert list(found) == ["skin"]
    assert found["skin"]["labels"] == ["dark", "light", "skin=unknown"]
    assert np.diag(found["skin"]["assigned"]) == pytest.approx(0.98)
    assert list(read_label_errors(write(matrix(["f", "m", "sex=unknown"])), PEOPLE)) == ["sex"]
    assert list(read_label_errors(write(matrix(PEOPLE.labels)), PEOPLE)) == ["skin × sex"]


def test_a_table_saved_by_a_spreadsheet_is_read(write):
    text = matrix(["dark", "light", "unknown"]).replace(",", ";")
    assert list(read_label_errors(write(text, "utf-8-sig"), PEOPLE)) == ["skin"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (matrix(["dark", "pale", "unknown"]), r"m\.csv: must have .* of one attribute .*skin: dark, light, skin=unk"),
        (matrix(["dark", "light"]), "must have the column `true`"),
        ("dark,light,unknown\n1,0,0\n", "must have the column `true`"),
        (matrix(["dark", "light", "unknown", "skin=unknown"]), "two columns for one label"),
        ("true,dark,light,unknown\n", r"m\.csv: has no rows"),
        ("true,dark,light,unknown\ndark,1,0\n", r"m\.csv: row 2: has 3 cells where the header has 4"),
        (matrix(["dark", "light", "unknown"]).replace("0.98", "most", 1), r"m\.csv: row 2: must be probabilities"),
        (matrix(["dark", "light", "unknown"], 2 / 3), r"m\.csv: the misclassification matrix labels two groups alike"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_one_sentence(write, text, message):
    with pytest.raises(InputError, match=message) as raised:
        read_label_errors(write(text), PEOPLE)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.csv: cannot be read"):
        read_label_errors(tmp_path / "absent.csv", PEOPLE)


@pytest.fixture
def uneven(cell):
    """Thirty people a far apart, but for two pairs; thirty b in ten knots of three."""
    places = np.r_[0.1, np.arange(29) * 5.0, 500 + np.repeat(np.arange(10), 3) * 5.0 + np.tile([0, 0.05, 0.1], 10)]
    return cell(places, ["a"] * 30 + ["b"] * 30)


def rows(data, assigned):
    noted = {"group": {"file": "m.csv", "labels": ["a", "b"], "assigned": assigned}}
    found = label_sensitivity_of(data, noted, list(differentials_of(data)))
    return {
        (r["metric"], r["probe_group"], r["reference_group"]): r for r in found if r["operating_point"] != "fmr=1e-9"
    }


def test_right_labels_change_no_rate(uneven):
    found = rows(uneven, [[1, 0], [0, 1]])
    assert len(found) == 4 + 2 + 2
    for row in found.values():
        assert (row["corrected"], row["corrected_low"], row["corrected_high"]) == pytest.approx(
            (row["value"], row["low"], row["high"])
        )
        assert row["least"] == row["greatest"] == pytest.approx(row["value"])


def test_a_rate_is_recomputed_from_the_whole_table_with_bounds_for_all_its_cells_at_once(uneven):
    found, groups = rows(uneven, [[0.9, 0.1], [0.05, 0.95]]), uneven.people.crossed()
    rates = [[uneven.clustered("FMR", "own", a, b) for b in groups] for a in groups]
    bounds = [[rate_interval(*rate, 0.05 / 4) for rate in line] for line in rates]
    value = np.array([[rate.rate for rate, _ in line] for line in rates])
    low, high = (np.array([[getattr(b, end) for b in line] for line in bounds]) for end in ("low", "high"))
    # Thirty bear each label: x·.9 + (60 − x)·.05 = 30, Bayes for who bears which.
    a = (30 - 3) / 0.85
    joint = np.array([[a * 0.9, (60 - a) * 0.05], [a * 0.1, (60 - a) * 0.95]])
    expected = recompute(value, low, high, joint / joint.sum(axis=1, keepdims=True))
    row = found["FMR", "b", "b"]
    assert row["corrected"] == pytest.approx(expected.corrected[1, 1], rel=1e-4)
    assert row["corrected_high"] == pytest.approx(expected.high[1, 1], rel=1e-4)
    assert (row["least"], row["greatest"]) == pytest.approx((row["value"], row["corrected"]))


def test_a_difference_that_vanishes_is_said_to_vanish(uneven):
    stays, goes = rows(uneven, [[0.995, 0.005], [0.005, 0.995]]), rows(uneven, [[0.85, 0.15], [0.15, 0.85]])
    assert stays["FMR", "b", "b"]["shown"] is goes["FMR", "b", "b"]["shown"] is True
    assert stays["FMR", "b", "b"]["still_shown"] is True
    assert "stays shown if labels are wrong this often, at least" in stays["FMR", "b", "b"]["words"]
    assert goes["FMR", "b", "b"]["still_shown"] is False
    assert "no longer shown if labels are wrong this often" in goes["FMR", "b", "b"]["words"]
    assert stays["FMR", "a", "a"]["words"] is None
    assert stays["FMR", "b", "a"]["words"] is None


def test_what_no_true_rates_would_give_is_not_recomputed(uneven):
    """With three in ten labels wrong, groups labelled a and b could not be so far apart."""
    found = rows(uneven, [[0.7, 0.3], [0.3, 0.7]])
    of_matches = [row for (metric, *_), row in found.items() if metric == "FMR"]
    for row in of_matches:
        assert row["why"] == "cannot be recomputed: with labels wrong this often the data would be impossible"
        assert {row[n] for n in ("corrected", "corrected_low", "corrected_high", "least", "greatest")} == {None}
    assert found["FMR", "b", "b"]["still_shown"] is None
    assert found["FMR", "b", "b"]["words"].endswith("impossible.")
    assert found["FNMR", "b", None]["why"] is None


def test_a_group_of_one_leaves_open_what_it_could_be_and_the_others_are_recomputed(cell):
    data = cell(np.arange(17) * 5.0, ["a"] * 16 + ["b"])
    found = rows(data, [[0.99, 0.01], [0.2, 0.8]])
    within = found["FMR", "a", "a"]
    assert found["FMR", "b", "b"]["value"] is None
    assert within["corrected"] is None
    assert within["least"] == 0 <= within["greatest"] < 0.01
    assert (found["FMR", "b", "b"]["least"], found["FMR", "b", "b"]["greatest"]) == (0, 1)
    assert found["FNMR", "a", None]["corrected"] == 0


def test_groups_that_are_others_than_stated_are_refused(uneven):
    noted = {"group": {"file": "m.csv", "labels": ["a", "c"], "assigned": [[1, 0], [0, 1]]}}
    with pytest.raises(InputError, match="no longer those of m"):
        list(label_sensitivity_of(uneven, noted, []))

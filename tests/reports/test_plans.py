"""The chart of a plan as a file of its own."""

import json
import re

import pytest

from pipelines.errors import InputError
from reports.plans import draw
from testbed.evidence.planning import DesignEffect, plan


def test_a_plan_is_drawn_as_a_page_that_fetches_nothing(tmp_path):
    draw(plan("FMR", 2e-4, groups=4), 4, 1, None, tmp_path / "plan.html")
    page = (tmp_path / "plan.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert not re.search("src=|href=", re.sub("<script>.*?</script>", "", page, flags=re.DOTALL))
    spec = json.loads(re.search(r'vegaEmbed\("#plan", (\{.*\}), \{actions', page)[1])
    (rows, *others) = spec["datasets"].values()
    assert {row["line"] for row in rows if "assumed" in row["line"]} == {"at an assumed design effect of 3"}
    # The bound that is planned for is marked, though the curve does not pass through it of itself.
    marked = {row["people"] for data in others for row in data if row.get("rate") == "1 in 5,000" and "needed" in row}
    planned = plan("FMR", 2e-4, groups=4)
    assert marked == {planned.disjoint, planned.borrowed, planned.optimistic}


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<svg")])
def test_a_plan_is_drawn_as_a_picture(tmp_path, ending, begins):
    path = tmp_path / f"plan.{ending}"
    draw(plan("FMR", 1e-4, effect=DesignEffect(4.0, 60)), 1, 1, "somewhere", path)
    assert path.read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("metric", "name", "sentence"),
    [
        ("FMR", "plan.gif", "ends in .gif; give a file ending in .html, .png or .svg"),
        ("FMR", "plan", "ends in nothing"),
        ("FMR", "nowhere/plan.svg", "cannot be written"),
        ("FNMR", "plan.svg", "only FMR has a curve"),
    ],
)
def test_what_cannot_be_drawn_gets_one_sentence(tmp_path, metric, name, sentence):
    with pytest.raises(InputError, match=sentence):
        draw(plan(metric, 1e-2), 1, 1, None, tmp_path / name)

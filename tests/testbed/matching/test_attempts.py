import numpy as np
import polars as pl

from testbed.matching.attempts import CANCELLED, ELSEWHERE, SHOWN, attempts_of, misplaced, without_cancelled
from testbed.matching.people import people_of
from testbed.runs.tables import ATTEMPTS, CAPTURES, TRANSITS


def test_found_failed_and_never_delivered_are_told_apart():
    transits = pl.DataFrame(
        [(t, "gate", t.upper(), 0.0, 1.0) for t in ("found", "unseen", "broken", "lost", "shifted")],
        schema=TRANSITS.columns, orient="row",
    )  # fmt: skip
    frames = pl.DataFrame(
        [
            ("gate", "found", "ok", "", 1), ("gate", "unseen", "ok", "", 0), ("gate", "broken", "ok", "", 1),
            ("gate", "shifted", "ok", "", 2),
            ("gate", "lost", "undelivered", "the photograph cannot be read", 0),
            ("gate", "found", "undecodable", "corrupt packet", 0),  # one bad frame does not undo a transit
        ],
        schema=SHOWN, orient="row",
    )  # fmt: skip
    empty = dict.fromkeys(CAPTURES.columns)
    captures = pl.DataFrame(
        [
            {**empty, "transit": "found", "state": "ok", "reason": ""},
            {**empty, "transit": "found", "state": "failed", "reason": "the template is not finite"},
            {**empty, "transit": "broken", "state": "failed", "reason": "the template is not finite"},
            {**empty, "transit": None, "state": "ok", "reason": ""},
        ],
        schema=CAPTURES.columns,
    )  # fmt: skip
    table = attempts_of("c", transits, frames, captures)
    found = {row["transit"]: (row["state"], row["reason"], row["captures"]) for row in table.to_dicts()}
    assert found == {
        "found": ("acquired", "", 2),
        "unseen": ("failed", "no face found", 0),
        "broken": ("failed", "the template is not finite", 1),
        "shifted": ("failed", "a face was found, but not where the truth has the person", 0),
        "lost": ("undelivered", "the photograph cannot be read", 0),
    }


def test_where_faces_were_found_beside_everybody_nothing_was_measured():
    def told(*attempts):
        rows = [("c", "gate", f"p/{i}", "p", 0, *each) for i, each in enumerate(attempts)]
        return misplaced(pl.DataFrame(rows, schema=ATTEMPTS.columns, orient="row"))

    beside, unseen, lost = ("failed", ELSEWHERE), ("failed", "no face found"), ("undelivered", "unreadable")
    said = "in {} of {} passes the system's face box is not where the truth has the person"
    assert told(beside, beside, beside, lost) == said.format(3, 3)
    assert told(beside, beside, unseen) == said.format(2, 3)
    assert told(beside, beside, beside, ("acquired", "")) == ""
    assert told(unseen, unseen) == told(beside, unseen) == told(lost) == told() == ""  # the system's own failures


def test_a_pass_whose_templates_cancel_out_is_a_failure_to_acquire():
    passes = [("b/1", "b", "acquired"), ("a/2", "a", "acquired"), ("a/1", "a", "failed"), ("b/2", "b", "acquired")]
    attempts = pl.DataFrame([("c", "gate", t, who, 2, state, "") for t, who, state in passes],
                            schema=ATTEMPTS.columns, orient="row")  # fmt: skip
    people = people_of(pl.DataFrame({"subject": ["a", "b"]}), [], 1)
    told = without_cancelled(attempts, people, np.array([True, False, True]))  # a/2, b/1, b/2
    assert told.select("transit", "state", "reason").rows() == [
        ("b/1", "failed", CANCELLED), ("a/2", "acquired", ""), ("a/1", "failed", ""), ("b/2", "acquired", ""),
    ]  # fmt: skip

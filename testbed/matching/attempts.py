"""What became of every transit that was put before a system: the basis of FTA."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from testbed.matching.people import People
from testbed.runs.tables import ATTEMPTS

SHOWN = {"camera": pl.String, "transit": pl.String, "state": pl.String, "reason": pl.String, "faces": pl.Int32}

ELSEWHERE = "a face was found, but not where the truth has the person"
"""Less overlap than the scenario's `iou`: wrong truth boxes look like this, and are no failure of the system's."""

CANCELLED = "its templates cancel out: their mean is zero, and has no direction"


def attempts_of(cell: str, transits: pl.DataFrame, frames: pl.DataFrame, captures: pl.DataFrame) -> pl.DataFrame:
    """Table ATTEMPTS for one cell: a transit is acquired when one of its captures has a template.

    A transit of which no frame could be delivered (photograph unreadable, eyes not located) was never put before
    the system: it is `undelivered`, counted and named, and no failure of the system's.
    """
    said = pl.col("reason").filter(pl.col("reason") != "").first()
    faces = (
        captures.filter(pl.col("transit").is_not_null())
        .group_by("transit")
        .agg(captures=pl.len(), acquired=(pl.col("state") == "ok").any(), why=said)
    )
    lost = (
        frames.filter(pl.col("transit").is_not_null())
        .group_by("transit")
        .agg(lost=(pl.col("state") != "ok").all(), lost_why=said, elsewhere=(pl.col("faces") > 0).any())
    )
    joined = transits.join(faces, "transit", how="left").join(lost, "transit", how="left")
    is_lost, is_acquired = pl.col("lost").fill_null(value=False), pl.col("acquired").fill_null(value=False)
    state = pl.when(is_lost).then(pl.lit("undelivered")).when(is_acquired).then(pl.lit("acquired"))
    reason = pl.when(is_lost).then(pl.col("lost_why")).when(is_acquired).then(pl.lit(""))
    return joined.select(
        pl.lit(cell).alias("cell"),
        "camera", "transit", "subject",
        pl.col("captures").fill_null(0).cast(ATTEMPTS.columns["captures"]),
        state.otherwise(pl.lit("failed")).alias("state"),
        reason.when(pl.col("captures") > 0).then(pl.col("why"))
        .when("elsewhere").then(pl.lit(ELSEWHERE))
        .otherwise(pl.lit("no face found")).alias("reason"),
    )  # fmt: skip


def misplaced(attempts: pl.DataFrame) -> str:
    """Why nothing was measured in one cell: no pass was acquired, most of them since faces were ELSEWHERE; else ""."""
    put = attempts.filter(pl.col("state") != "undelivered")
    beside = int((put["reason"] == ELSEWHERE).sum())
    if (put["state"] == "acquired").any() or 2 * beside <= put.height:
        return ""
    return f"in {beside} of {put.height} passes the system's face box is not where the truth has the person"


def without_cancelled(attempts: pl.DataFrame, people: People, kept: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """ATTEMPTS in which the acquired transits that are not `kept`, in the order of people and names, have failed."""
    acquired = attempts.filter(pl.col("state") == "acquired")
    acquired = acquired.with_columns(person=people.index(acquired["subject"])).sort("person", "transit")
    lost = pl.col("transit").is_in(acquired["transit"].filter(pl.Series(~kept, dtype=pl.Boolean)).implode())
    return attempts.with_columns(
        state=pl.when(lost).then(pl.lit("failed")).otherwise("state"),
        reason=pl.when(lost).then(pl.lit(CANCELLED)).otherwise("reason"),
    )

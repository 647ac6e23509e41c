"""A production as others can use it: clips and photographs with tables beside them, in formats that any tool reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from pipelines.errors import InputError
from testbed.runs.directory import RunDirectory
from testbed.scenario.synthetic import OF_PEOPLE, Synthetic
from testbed.synthetic.assets import VERSION
from testbed.synthetic.production import PHOTOGRAPHS_OF, Production

PLAN = "production.json"
WORDS = """Made-up people on made-up cameras
=================================

Nobody here exists. Faces and bodies are drawn from MakeHuman's CC0 shapes by `testbed synth`; sex, age band, skin tone
and shape family are declared parameters of the drawing, measured on nobody, and none is a race. What a system does to
these pictures tests the system and isolates causes; it is no evidence of how it treats any group of real people.

clips/NAME.mp4         H.264 as the camera recorded it
references/ID/*.png    a photograph of everybody, face on
subjects.csv           what is declared of everybody
truth.csv              camera,frame,subject,x,y,w,h,put: faces, pixels from the upper left corner, frames from 0.
                       put 0: too small, turned away or half hidden in that frame, nothing to be blamed for; who was
                       put nowhere in a pass, or is hidden by more than four fifths, has no row
truth/NAME.parquet     all that is known of each face: pixels between the eyes, yaw, pitch, roll (degrees), metres,
                       share that nobody and nothing hides, luminance of the brow; put: it was there to be found
truth/NAME.gt.txt      the same boxes as MOTChallenge has them: frame from 1, id, left, top, width, height, conf
                       (0: not there to be found), class 1, share that nobody and nothing hides
transits.csv           who passed which camera, from when to when (seconds)
scenario.yaml          replays this folder: testbed run scenario.yaml. Where arms of a contrast are changed in body
                       (tone, age, sex, shape), references/ID has a photograph for each: compare arm with arm yourself
"""
LONGEST_NAME = 60


@contextmanager
def claimed(folder: Path, synthetic: Synthetic, seed: int) -> Iterator[None]:
    """Make `folder` this production's, or go on where it stopped, alone.

    Raises InputError where it holds something else, or another process is at work there.
    """
    plan = {"seed": seed, "anny": VERSION, **synthetic.model_dump(mode="json")}
    known = folder / PLAN
    if known.is_file():
        if json.loads(known.read_text(encoding="utf-8")) != plan:
            raise InputError(f"{folder}: holds what another scenario made; name another --out")
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is not empty; name a new folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known.write_text(json.dumps(plan), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); name another --out") from None
    with RunDirectory(folder).alone():
        yield


def hand_out(made: Production, synthetic: Synthetic, folder: Path, resolved: dict[str, Any]) -> list[Path]:
    """Write the tables and scenario.yaml beside the clips; returns the clips. resolved: the scenario's own values."""
    names = {name: _short(name) for name in made.faces["camera"].unique().sort()}
    seen = made.faces.with_columns(
        name=pl.col("camera").replace_strict(names, return_dtype=pl.String),
        x=pl.col("x1"), y=pl.col("y1"), w=pl.col("x2") - pl.col("x1"), h=pl.col("y2") - pl.col("y1"),
    )  # fmt: skip
    passed = Production.boxes(replace(made, faces=seen))
    passed.select(
        pl.col("name").alias("camera"), "frame", "subject", "x", "y", "w", "h", pl.col("put").cast(pl.Int8)
    ).write_csv(folder / "truth.csv", float_precision=2)
    made.subjects.write_csv(folder / "subjects.csv")
    made.transits.with_columns(pl.col("camera").replace_strict(names, return_dtype=pl.String)).write_csv(
        folder / "transits.csv", float_precision=3
    )
    for name in names:
        _mot(seen.filter(pl.col("camera") == name), made.subjects["subject"].to_list()).write_csv(
            folder / "truth" / f"{name}.gt.txt", include_header=False, float_precision=2
        )
    groups = resolved["groups"]
    scenario = {
        "title": resolved["title"], "question": resolved["question"], "seed": resolved["seed"],
        "attribution": ["made-up people; shapes by MakeHuman, CC0"],
        "subjects": {"table": "subjects.csv", "provenance": dict.fromkeys(OF_PEOPLE, "declared")}, "groups": groups,
        "references": {"images": PHOTOGRAPHS_OF},
        "probes": {"kind": "video", "made_up": True, "every": synthetic.every, "cameras": [
            {"name": short, "file": f"clips/{name}.mp4", "truth": {"file": "truth.csv"}}
            for name, short in names.items()
        ]},
        "systems": [{key: value for key, value in system.items() if value} for system in resolved["systems"]],
        "operating_points": resolved["operating_points"],
    }  # fmt: skip
    text = yaml.safe_dump(scenario, sort_keys=False, allow_unicode=True, width=110)
    (folder / "scenario.yaml").write_text(text, encoding="utf-8")
    (folder / "README.txt").write_text(WORDS, encoding="utf-8")
    return [folder / "clips" / f"{name}.mp4" for name in names]


def _short(name: str) -> str:
    """A camera's name as a scenario may have it: an arm's is longer, and has other signs."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    return (
        plain if len(plain) <= LONGEST_NAME else f"{plain[: LONGEST_NAME - 9]}-{sha256(name.encode()).hexdigest()[:8]}"
    )


def _mot(faces: pl.DataFrame, subjects: Sequence[str]) -> pl.DataFrame:
    number = {subject: row + 1 for row, subject in enumerate(subjects)}
    return faces.sort("frame", "subject").select(
        pl.col("frame") + 1, pl.col("subject").replace_strict(number, return_dtype=pl.Int64),
        pl.col("x") + 1, pl.col("y") + 1, "w", "h", pl.col("put").cast(pl.Int8), pl.lit(1).alias("class"), "visible",
    )  # fmt: skip

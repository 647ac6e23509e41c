"""A whole scenario of made-up people: who they are, their reference photographs, and every camera's clip."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from testbed.runs.progress import Progress, silent
from testbed.runs.tables import FACES, TRANSITS, conform
from testbed.scenario.enhancing import Prior
from testbed.scenario.synthetic import OF_BODIES, Arm, Synthetic, arms
from testbed.synthetic.clips import Clip, clips
from testbed.synthetic.faces import HIDDEN, SMALLEST, TURNED
from testbed.synthetic.film import film
from testbed.synthetic.people.identity import Identity, numbered
from testbed.synthetic.people.person import Person, Pose
from testbed.synthetic.population import another_day, family, population
from testbed.synthetic.portrait import portrait
from testbed.synthetic.recorder import frames_in
from testbed.synthetic.stage import subject, transit

PHOTOGRAPHS_OF = "references/{subject}/*.png"
"""Where the reference photographs lie in a production's folder."""
EYES, SIZE = 90.0, (400, 480)
"""Of a reference photograph: pixels between the eyes, and its own."""
LEAST_SEEN = 0.2
"""Share of a face: of one that is hidden more than that, nothing is to be found."""
CHUNK = 4
"""Photographs taken as one task."""


@dataclass(frozen=True)
class Production:
    """What was made: tables with the people as declared, TRANSITS and FACES; and what the report must say of it."""

    subjects: pl.DataFrame
    transits: pl.DataFrame
    faces: pl.DataFrame
    notices: tuple[str, ...]

    def boxes(self) -> pl.DataFrame:
        """The faces that a detection may be: of people who were put before a camera, and seen in that frame.

        Somebody behind another person would else be taken for them.
        """
        seen = self.faces.filter(pl.col("visible") >= LEAST_SEEN)
        return seen.join(self.transits, "transit", how="semi")


def cast(synthetic: Synthetic | Prior, seed: int) -> list[Identity]:
    """The people of a scenario, or of a prior, in its order. Raises InputError for a mix that cannot be drawn."""
    found: list[Identity] = []
    for row, kind in enumerate(synthetic.people):
        of_kind = numbered(seed, f"people/{row}")
        if kind.alike is None:
            found += population([(kind.declared, kind.count)], of_kind)
        else:
            (first,) = population([(kind.declared, 1)], of_kind)
            found += family(of_kind, kind.count, kind.alike, first.attributes)
    return found


def dressed(people: Sequence[Identity], arm: Arm) -> list[Identity]:
    """The people as they come before the cameras in an arm."""
    return [identity.changed(**arm.of_people) for identity in people]


def on_day(synthetic: Synthetic, people: Sequence[Identity], day: int) -> list[Identity]:
    """The people of a scenario as they come on a day: what is declared of them stays, and all that is their body's."""
    declared = [kind.declared for kind in synthetic.people for _ in range(kind.count)]
    return [another_day(identity, day, said) for identity, said in zip(people, declared, strict=True)]


def enrolled(people: Sequence[Identity], synthetic: Synthetic) -> dict[str, tuple[list[Identity], float]]:
    """The people as they are photographed, and with how many pixels between the eyes, for each name of a photograph.

    What an arm changes of the body is photographed so; all else is at its baseline, and nobody wears a mask.
    """
    baseline = {each.cause: each.levels[0] for each in synthetic.contrasts if each.cause not in OF_BODIES}
    baseline = {cause: level for cause, level in arms(synthetic)[0].of_people.items() if cause in baseline}
    found: dict[str, tuple[list[Identity], float]] = {}
    for arm in arms(synthetic):
        body = {cause: level for cause, level in arm.of_people.items() if cause in OF_BODIES}
        as_they_are = [identity.changed(**{**baseline, **body, "mask": False}) for identity in people]
        found[arm.enrolled] = as_they_are, arm.photograph_px(synthetic)
    return found


def checked(synthetic: Synthetic, seed: int) -> tuple[list[Identity], list[Clip]]:
    """The people and the clips that are planned. Raises InputError for all that cannot be, before the work begins."""
    people, planned = cast(synthetic, seed), clips(synthetic, seed)
    for clip in planned:
        on_day(synthetic, dressed(people, clip.arm), clip.day)
        clip.frames(synthetic, len(people))
    enrolled(people, synthetic)
    return people, planned


def planned_passes(synthetic: Synthetic, planned: Sequence[Clip]) -> pl.DataFrame:
    """Everybody's passes before every camera, whether or not a face was to be seen: transit, camera, subject."""
    people = sum(kind.count for kind in synthetic.people)
    return pl.DataFrame(
        [(transit(clip, visit), clip.name, subject(visit.person))
         for clip in planned for visit in clip.visits(synthetic, people)],
        {name: TRANSITS.columns[name] for name in ("transit", "camera", "subject")}, orient="row",
    )  # fmt: skip


def produce(
    synthetic: Synthetic, seed: int, folder: Path, executor: Executor, progress: Progress = silent
) -> Production:
    """Write `references/P0001/NAME.png`, `clips/NAME.mp4` and `truth/NAME.parquet` under `folder`; what is there stays.

    Raises InputError for people who cannot be drawn, paths that lead astray and cameras that cannot hang.
    """
    people, planned = checked(synthetic, seed)
    lengths = {clip.name: clip.frames(synthetic, len(people)) for clip in planned}
    for part in ("references", "clips", "truth"):
        (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)
    dumped = synthetic.model_dump(mode="json")
    _photograph(enrolled(people, synthetic), seed, folder, executor, progress)
    _film(
        {name: executor.submit(_filmed, dumped, seed, str(folder), name) for name in lengths
         if not _whole(folder, name)},
        lengths, folder, progress,
    )  # fmt: skip
    faces = pl.concat([pl.read_parquet(folder / "truth" / f"{name}.parquet") for name in lengths])
    transits = (
        faces.filter((pl.col("put") & (pl.col("frame") % synthetic.every == 0)).any().over("transit"))
        .group_by("transit", "camera", "subject")
        .agg(first=pl.col("seconds").min(), last=pl.col("seconds").max())
    )
    passes, notices = planned_passes(synthetic, planned).height, []
    if missing := passes - transits.height:
        notices.append(
            f"in {missing} of {passes} passes no face was put before the camera (turned away by more than "
            f"{TURNED:g}°, more than {1 - HIDDEN:.0%} hidden, or under {SMALLEST:g} pixels between the eyes); "
            "they are left out"
        )
    declared = pl.DataFrame(
        [{"subject": subject(row), "seed": each.seed, **asdict(each.attributes)} for row, each in enumerate(people)],
        infer_schema_length=None,
    )
    return Production(declared, conform(TRANSITS, transits), conform(FACES, faces.drop("seconds")), tuple(notices))


def _whole(folder: Path, name: str) -> bool:
    """Whether a clip and its truth are there and can be read; what is not is filmed again."""
    try:
        last = pl.read_parquet(folder / "truth" / f"{name}.parquet")["frame"].max()
        return frames_in(folder / "clips" / f"{name}.mp4") > int(str(last or 0))
    except (OSError, pl.exceptions.PolarsError):
        return False


def files(synthetic: Synthetic, seed: int, folder: Path) -> dict[str, Path]:
    """The clip of every camera, or arm."""
    return {clip.name: folder / "clips" / f"{clip.name}.mp4" for clip in clips(synthetic, seed)}


def _photograph(
    wanted: dict[str, tuple[list[Identity], float]], seed: int, folder: Path, executor: Executor, progress: Progress
) -> None:
    todo = [
        (identity, folder / "references" / subject(row) / f"{name}.png", numbered(seed, f"photograph/{row}"), eyes)
        for name, (people, eyes) in wanted.items()
        for row, identity in enumerate(people)
    ]
    missing = [each for each in todo if not each[1].exists()]
    chunks = [missing[first : first + CHUNK] for first in range(0, len(missing), CHUNK)]
    progress("photograph", done := len(todo) - len(missing), len(todo))
    for chunk, future in [(chunk, executor.submit(_photographed, chunk)) for chunk in chunks]:
        future.result()
        progress("photograph", done := done + len(chunk), len(todo))


def _photographed(chunk: list[tuple[Identity, Path, int, float]]) -> None:
    """Take reference photographs, as an office does: face on, at rest, in good light."""
    from PIL import Image

    for identity, path, seed, eyes in chunk:
        random = np.random.default_rng(seed)
        turn, nod, lean = (float(each) for each in random.normal(0, (3.0, 2.0, 1.5)))
        picture, _ = portrait(Person(identity), Pose(yaw=turn, pitch=nod, roll=lean), EYES, SIZE)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(f".{path.name}")
        width, height = (max(1, round(side * eyes / EYES)) for side in SIZE)
        Image.fromarray(picture).resize((width, height), Image.Resampling.BOX).save(part, format="PNG")
        part.replace(path)


def _filmed(dumped: dict[str, Any], seed: int, folder: str, name: str) -> None:
    synthetic = Synthetic.model_validate(dumped)
    (clip,) = (clip for clip in clips(synthetic, seed) if clip.name == name)
    film(synthetic, clip, on_day(synthetic, dressed(cast(synthetic, seed), clip.arm), clip.day), Path(folder))


def _film(running: dict[str, Future[None]], lengths: dict[str, int], folder: Path, progress: Progress) -> None:
    """Wait for clips, telling how many frames are done by what their makers leave in `clips/.NAME.frames`."""
    total, going = sum(lengths.values()), dict(running)
    while going:
        done = sum(length for name, length in lengths.items() if name not in going)
        for name in going:
            with suppress(OSError, ValueError):
                done += min(int((folder / "clips" / f".{name}.frames").read_text()), lengths[name])
        progress("film", done, total)
        wait(going.values(), timeout=1.0, return_when=FIRST_COMPLETED)
        for name in [name for name, future in going.items() if future.done()]:
            going.pop(name).result()
    progress("film", total, total)

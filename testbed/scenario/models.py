"""What a scenario file may say. The JSON Schema printed by `testbed schema` is made from these models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from testbed.scenario.enhancing import Completion, Enhancer, Prior
from testbed.scenario.reviewing import Review
from testbed.scenario.searching import Identification, Lookup, Watchlist
from testbed.scenario.strict import Misfit, Strict, refuse
from testbed.scenario.synthetic import OF_PEOPLE, Synthetic

Provenance = Literal["self-reported", "assigned", "measured", "declared", "inferred"]
RESERVED_GROUPS = ("all", "same group")
"""Labels that evidence.json uses itself: everybody pooled, and comparisons within one group pooled."""


def guessed(wanting: Sequence[str]) -> str:
    """What is said of an inferred attribute, by the settings that it still wants."""
    return (
        f"is inferred; such guesses of who belongs to which group need {' and '.join(wanting)} as well (docs/labels.md)"
    )


class Subjects(Strict):
    """Who the people are: a CSV with one row per person and any number of group columns."""

    table: Path = Field(strict=False, description="CSV with one row per person")
    id: str = Field("subject", description="its column of subject ids")
    provenance: dict[str, Provenance] = Field(
        default_factory=dict, description="who says so, for each group column: self-reported, assigned, …"
    )
    allow_inferred: bool = Field(False, description="take labels that somebody or something guessed from appearance")
    label_errors: Annotated[Path, Field(strict=False)] | None = Field(
        None, description="how often labels are wrong, as CSV (see examples/label_errors.csv)"
    )
    limit: int | None = Field(
        None, ge=2, description="take only this many people, evenly over the groups (for a quick look)"
    )

    @property
    def wanting(self) -> list[str]:
        """What inferred labels still need: that somebody wants them, and says how often they are wrong."""
        errors = [] if self.label_errors else ["`label_errors: FILE`"]
        return [*([] if self.allow_inferred else ["`allow_inferred: true`"]), *errors]

    @model_validator(mode="after")
    def _inferred(self) -> Subjects:
        if self.wanting:
            inferred = [column for column, who in self.provenance.items() if who == "inferred"]
            refuse((("provenance", column), f"{column} {guessed(self.wanting)}") for column in inferred)
        return self


class Photographs(Strict):
    """Photographs on disk: one file name pattern, `{subject}` standing for the id (`*` is allowed)."""

    images: str = Field(description="path pattern, e.g. photos/{subject}_03.jpg")
    face: Literal["one", "largest"] = Field(
        "one", description="of several faces in a photograph: none is enrolled (one), or the largest is"
    )

    @field_validator("images")
    @classmethod
    def _names_subject(cls, value: str) -> str:
        if "{subject}" not in value:
            raise ValueError("must contain {subject}, the place of the person's id, e.g. photos/{subject}_03.jpg")
        return value


class Stills(Strict):
    """Probe photographs: each is one pass of a person before a camera."""

    kind: Literal["stills"] = Field(description="photographs")
    images: str = Field(description="path pattern, e.g. photos/{subject}_08.jpg")

    _names_subject = field_validator("images")(Photographs._names_subject.__func__)  # type: ignore[attr-defined]


class NobodyEnrolled(Strict):
    """The declaration that nobody enrolled passes here: every match is then false by construction."""

    nobody_enrolled: Literal[True] = Field(description="always true: leave `truth` out if it is not so")
    people: int | None = Field(
        None, ge=1, description="how many different people pass, counted by eye; without it the clip counts as one"
    )


class TruthFile(Strict):
    """Who was where, or where heads were without saying whose, from a file of one of five formats."""

    file: Path = Field(strict=False, description="the truth file")
    format: Literal["csv", "mot", "idl", "cvat", "chokepoint"] = Field(
        "csv",
        description="csv (camera,frame,subject,x,y,w,h); mot: MOTChallenge gt.txt; idl: heads in pictures, without "
        "names, as in Brainwash; cvat: CVAT 1.1 XML; chokepoint: XML with the eyes of known people",
    )
    label: str | None = Field(None, description="of cvat: the label of heads or faces, where it has several labels")
    identity: str | None = Field(
        None, description="of cvat: the attribute that says who it is; unset: heads whose people nobody knows"
    )

    @model_validator(mode="after")
    def _of_cvat(self) -> TruthFile:
        given = [key for key in ("label", "identity") if getattr(self, key) is not None and self.format != "cvat"]
        refuse(((key,), "is a key of `format: cvat` alone; leave it out") for key in given)
        return self

    @property
    def names_people(self) -> bool:
        """Whether it says who it is that was there."""
        return self.format not in ("idl", "cvat") or self.identity is not None


def _kind_of_truth(value: object) -> str:
    """Which of the two kinds of truth is meant, so that mistakes are told for that kind alone."""
    declared = isinstance(value, NobodyEnrolled) or (
        isinstance(value, dict) and not {"nobody_enrolled", "people"}.isdisjoint(value)
    )
    return "nobodyenrolled" if declared else "truthfile"


Truth = Annotated[
    Annotated[NobodyEnrolled, Tag("nobodyenrolled")] | Annotated[TruthFile, Tag("truthfile")],
    Discriminator(_kind_of_truth),
]


class Camera(Strict):
    """One recording: a clip, or a folder of pictures."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60, description="how the report calls it")
    file: Path = Field(
        strict=False,
        description="the recording, any format that FFmpeg reads, or a folder of pictures (PNG, JPEG)",
    )
    seconds_apart: float | None = Field(
        None, gt=0, le=1_000_000, description="of a folder, which needs it: seconds from one picture to the next"
    )
    truth: Truth | None = Field(
        None, description="who is on it; without truth, faces are counted and nothing else is said"
    )


class Video(Strict):
    """Recorded clips, replayed frame by frame."""

    kind: Literal["video"] = Field(description="recordings")
    cameras: list[Camera] = Field(min_length=1, description="one entry per recording")
    every: int = Field(1, ge=1, description="show the system every n-th frame")
    segment: int = Field(64, ge=1, le=1000, description="frames per resumable part")
    transit_gap_s: float = Field(2.0, gt=0, description="a person unseen for longer than this starts a new transit")
    made_up: bool = Field(False, description="nobody on them exists: the report says so, and judges no group")

    @model_validator(mode="after")
    def _unique(self) -> Video:
        names = [camera.name for camera in self.cameras]
        refuse(
            (("cameras", i, "name"), f"two cameras are called {name!r}; give each its own name")
            for i, name in enumerate(names)
            if name in names[:i]
        )
        return self


class Log(Strict):
    """A vendor's score log, read by `testbed audit`: comparisons that somebody else made, of pictures not at hand."""

    kind: Literal["log"] = Field(description="a score log")
    files: list[Annotated[Path, Field(strict=False)]] = Field(min_length=1, description="the log")


ENHANCEMENT = ("enhance", "enlarge")
"""Of a condition: what becomes of the picture after the camera."""


class Condition(Strict):
    """What a camera makes of the picture. Unset values leave that step out. A list makes a sweep."""

    clean: bool = Field(False, description="the picture as it is: no resizing, no noise, no codec")
    inter_eye_px: float | None = Field(None, ge=4, le=400, description="face size: pixels between the pupils")
    scale: float | None = Field(None, gt=0, le=1, description="for video: shrink the frames by this factor")
    frame: tuple[int, int] = Field(
        (640, 360), strict=False, description="the camera's picture, width and height in pixels"
    )
    frames: int = Field(5, ge=1, le=8, description="length of the clip made of one photograph")
    fps: float = Field(10, gt=0, le=120, description="frames per second of that clip")
    motion_eyes_per_s: float = Field(
        2.0, ge=0, le=50, description="speed across the picture, in inter-eye distances per second"
    )
    exposure_s: float = Field(0.02, ge=0, le=1, description="shutter time: motion blur is speed × exposure")
    defocus_px: float = Field(0, ge=0, le=20, description="standard deviation of the defocus blur, pixels")
    light: float = Field(1.0, gt=0, le=1, description="share of a well-lit scene's light; the camera raises its gain")
    noise: float = Field(
        0.5, ge=0, le=100, description="read noise at full light, standard deviation in 255ths of white, linear light"
    )
    bitrate_kbps: float | None = Field(None, gt=0, le=100_000, description="H.264 at this rate; unset: no codec")
    gop: int = Field(50, ge=1, le=1000, description="frames from one key frame to the next")
    enhance: Enhancer = Field(
        "none", description="makes the delivered picture larger: none, bicubic, lanczos, {model: …} or {prior: …}"
    )
    enlarge: int = Field(4, ge=2, le=8, description="how many times larger `enhance` makes it")

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        if value == "clean":
            return {"clean": True}
        if isinstance(value, str):
            raise ValueError(f"should be `clean` or a mapping of camera settings, not {value!r}")
        return value

    @field_validator("frame")
    @classmethod
    def _frame_size(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not all(16 <= side <= 4096 and side % 2 == 0 for side in value):
            raise ValueError("both sides must be even numbers of pixels between 16 and 4096")
        return value

    @model_validator(mode="after")
    def _clean_is_clean(self) -> Condition:
        others = sorted(self.model_fields_set - {"clean", *ENHANCEMENT})
        if self.clean and others:
            raise ValueError(
                f"`clean` skips every step, so {', '.join(others)} would do nothing; drop one or the other"
            )
        return self


class System(Strict):
    """One system under test: a pipeline by its entry-point name, and its options."""

    pipeline: str = Field(description="as `testbed pipelines` lists them")
    # Brackets, = and commas, because a sweep over options calls its systems dlib[detector=mmod].
    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._ \[\]=,-]*$",
        max_length=120,
        description="how the report calls it; unset: the pipeline's name",
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="as `testbed pipelines NAME` lists them; a list makes a sweep"
    )

    @property
    def label(self) -> str:
        """The name the report uses."""
        return self.name or self.pipeline


_POINT = re.compile(r"^(own|fmr=(?:\d+(?:\.\d+)?(?:[eE]-?\d+)?|\.\d+))$")


class Scenario(Strict):
    """One question, and everything needed to answer it again."""

    title: str = Field(min_length=1, max_length=200, description="the report's heading")
    question: str = Field("", max_length=2000, description="what the reader wants to know, in a sentence")
    attribution: list[str] = Field(default_factory=list, description="credits that the data's licences ask for")
    seed: int = Field(1, ge=0, lt=2**32, description="of every random draw: same seed, same tables")
    groups: list[str] = Field(default_factory=list, description="group columns of the subjects table, in order")
    subjects: Subjects | None = Field(None, description="who the people are")
    references: Photographs | None = Field(None, description="the enrolment photographs")
    probes: Stills | Video | Synthetic | Log = Field(discriminator="kind", description="what the cameras saw")
    search: Lookup | Identification | Watchlist | None = Field(
        None, discriminator="kind", description="who is searched among whom; unset: comparisons one to one alone"
    )
    review: Review | None = Field(None, description="what is assumed of people who look at what searches return")
    conditions: list[Condition] = Field(
        default_factory=lambda: [Condition(clean=True)],
        min_length=1,
        description="what the camera makes of it; unset: clean, the picture as it is",
    )
    systems: list[System] = Field(min_length=1, description="the systems under test")
    operating_points: list[str | float] = Field(
        default_factory=lambda: list[str | float](("own", "fmr=1e-2")),
        description="own (the system's threshold), fmr=1e-2 (cross-fitted), or a threshold in score units",
    )
    fusion: Literal["best"] = Field("best", description="a transit's score: the best of its captures'")
    iou: float = Field(0.3, gt=0, lt=1, description="least overlap of a found face with its truth box")
    keep_crops: bool = Field(False, description="store pictures of faces in the run directory")
    priors: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=40)], Prior] = Field(
        default_factory=dict, description="populations that an enhancer completes faces from, by name"
    )

    @field_validator("operating_points")
    @classmethod
    def _points(cls, value: list[str | float]) -> list[str | float]:
        for point in value:
            if isinstance(point, str):
                match = _POINT.match(point)
                if not match or (point != "own" and not 0 < float(point[4:]) < 1):
                    raise ValueError(
                        f"{point!r} is no operating point: write own, fmr=1e-2 (between 0 and 1), or a score"
                    )
        if not value:
            raise ValueError("is empty: name at least one, e.g. [own]")
        return value

    @field_validator("groups")
    @classmethod
    def _distinct(cls, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise ValueError("names a column twice")
        return value

    @model_validator(mode="after")
    def _hangs_together(self) -> Scenario:
        refuse(self._misfits())
        return self

    def _misfits(self) -> Iterator[Misfit]:
        stills, made_up = isinstance(self.probes, Stills), isinstance(self.probes, Synthetic)
        if made_up:
            for key in ("subjects", "references"):
                if getattr(self, key) is not None:
                    yield (key,), "made-up people bring their own; leave it out"
            for i, group in enumerate(self.groups):
                if group not in OF_PEOPLE:
                    yield ("groups", i), f"is nothing that made-up people have; choose among {', '.join(OF_PEOPLE)}"
                if group in self.probes.causes:  # type: ignore[union-attr]
                    yield ("groups", i), f"{group} is changed for everybody under `contrasts`; group by something else"
        elif self.subjects is None:
            if self.groups and not isinstance(self.probes, Log):
                there = "names columns of the subjects table: add `subjects: {table: …}`, or leave `groups` out"
                yield ("groups",), there
            if self.references is not None or stills:
                where = "probes" if stills else "references"
                yield (where,), "photographs need to know whose they are: add `subjects: {table: …}`"
        if stills and self.references is None:
            yield (
                ("probes",),
                "`stills` are compared with reference photographs: add `references: {images: …}`",
            )
        if self.review is not None and self.search is None:
            yield ("review",), "reviewers look at what searches return: add `search: {kind: …}`"
        if self.search is not None:
            if isinstance(self.probes, Log):
                yield ("search",), "a score log is not searched; its own candidate lists are read"
            elif isinstance(self.probes, Video) and not any(
                isinstance(c.truth, TruthFile) and c.truth.names_people for c in self.probes.cameras
            ):
                yield ("search",), "nobody on these recordings is known: add `truth: {file: …}` to a camera"
            elif self.references is None and not made_up:
                yield ("search",), "needs reference photographs: add `references: {images: …}`"
        for i, condition in enumerate(self.conditions):
            place = ("conditions", i)
            if isinstance(condition.enhance, Completion):
                if condition.enhance.prior not in self.priors:
                    known = ", ".join(self.priors) or "there is none yet"
                    yield (*place, "enhance", "prior"), f"names no prior; add it under `priors` ({known})"
                if isinstance(self.probes, Video):
                    yield (*place, "enhance"), "completes no recordings, for which no eyes are kept; use another"
            if not stills and condition.inter_eye_px is not None:
                yield (*place, "inter_eye_px"), "resizes photographs; for video use `scale`"
            if stills and condition.scale is not None:
                yield (*place, "scale"), "shrinks video frames; for photographs use `inter_eye_px`"
            elif stills and not condition.clean and condition.inter_eye_px is None:
                yield place, "on photographs needs `inter_eye_px`, the face size (or write `clean`)"
        # Labels name folders, where a space becomes a hyphen and some file systems take a for A.
        folders = [system.label.casefold().replace(" ", "-") for system in self.systems]
        for i, system in enumerate(self.systems):
            if folders[i] in folders[:i]:
                yield ("systems", i), f"two systems are called {system.label!r}; give one another `name`"

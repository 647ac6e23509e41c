"""What a scenario may say of made-up people on made-up cameras, and the arms of a counterfactual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from testbed.scenario.strict import Misfit, Strict, refuse

Level = str | int | float | bool
SceneName = Literal["corridor", "gate", "street", "shop"]
LightName = Literal["daylight", "mixed", "backlight", "night", "infrared"]
Number = Annotated[float, Field(strict=False)]
Point = Annotated[tuple[Number, Number], Field(strict=False)]
"""x and z, metres."""

MOST_PIXELS = 2560 * 1440
"""Of a frame: what is drawn beyond that takes minutes a second."""
MOST_ARMS = 60


class MadeUp(Strict):
    """So many people, and what is declared of them: parameters of the drawing. What is not declared is drawn."""

    count: int = Field(ge=1, le=5000, description="how many")
    sex: Literal["female", "male"] | None = Field(None, description="declared; unset: drawn for each")
    age: Literal["18-29", "30-44", "45-59", "60-79"] | None = Field(None, description="age band")
    tone: int | None = Field(None, ge=1, le=10, description="skin tone, 1 (lightest) to 10 (darkest)")
    family: Literal["A", "B", "C"] | None = Field(None, description="which set of head shapes weighs most")
    hair: Literal["bald", "shaved", "short", "long", "tied", "afro"] | None = Field(None, description="hair")
    hair_colour: Literal["black", "brown", "fair", "red", "grey", "white"] | None = Field(
        None, description="its colour"
    )
    beard: Literal["none", "stubble", "full"] | None = Field(None, description="beard")
    glasses: bool | None = Field(None, description="glasses")
    headwear: Literal["none", "cap", "headscarf"] | None = Field(None, description="on the head")
    mask: bool | None = Field(None, description="a medical mask, before the cameras only")
    shirt: Literal["white", "grey", "black", "red", "green", "blue"] | None = Field(None, description="its colour")
    alike: float | None = Field(
        None, ge=0, le=1, description="they are one family, so alike: 0.95 twins, 0.5 siblings; unset: strangers"
    )

    @property
    def declared(self) -> dict[str, str | int | bool]:
        """The attributes that are set."""
        return self.model_dump(exclude={"count", "alike"}, exclude_none=True)


class FilmedCamera(Strict):
    """A made-up camera: where it hangs, and what it does to the light. What is not set comes from the mount."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60, description="how the report calls it")
    scene: SceneName | None = Field(None, description="where it hangs; unset: the scenario's scene")
    light: LightName | None = Field(None, description="unset: the scenario's light")
    mount: str | None = Field(None, description="a place of the scene's for a camera; unset: its first")
    at: Point | None = Field(None, description="x, z in metres, instead of a mount")
    height: float | None = Field(None, gt=0, le=50, description="metres above the floor")
    pan: float | None = Field(None, ge=-360, le=360, description="degrees; 0 looks along −z, 90 along −x")
    tilt: float | None = Field(None, ge=-30, le=89, description="degrees downwards")
    distance: float | None = Field(
        None, gt=0.3, le=50, description="aim at the face of who stands on the scene's spot, from so many metres "
        "(`tilt` degrees above it), instead of a mount",
    )  # fmt: skip
    field: float | None = Field(None, ge=5, le=120, description="degrees from the left to the right edge")
    distortion: float = Field(
        0.0,
        ge=-0.4,
        le=0.4,
        description="of the lens: to first order r(1 + k·r²), r = 1 at half the width; below 0 is a barrel",
    )
    size: tuple[int, int] = Field((1280, 720), strict=False, description="width and height in pixels")
    fps: float = Field(10.0, ge=1, le=60, description="frames a second")
    exposure_s: float = Field(0.02, gt=0, le=0.5, description="the longest shutter time: motion blur")
    gain_db: float = Field(30.0, ge=0, le=60, description="the most it amplifies when it is dark")
    automatic: bool = Field(True, description="it chooses shutter and gain by what it sees; false: always the most")
    read_noise: float = Field(4.0, ge=0, le=100, description="electrons, standard deviation")
    full_well: float = Field(8000.0, ge=100, le=200_000, description="electrons of a white pixel without gain")
    rolling_s: float = Field(0.015, ge=0, le=0.2, description="from reading the first row to the last")
    defocus_px: float = Field(0.0, ge=0, le=20, description="standard deviation of the defocus blur, pixels")
    sharpen: float = Field(0.5, ge=0, le=3, description="how much it sharpens")
    clock: bool = Field(True, description="date and time are written into the picture")
    bitrate_kbps: float = Field(1500.0, gt=0, le=100_000, description="H.264 at this rate")
    gop: int = Field(30, ge=1, le=1000, description="frames from one key frame to the next")
    drops: float = Field(0.0, ge=0, le=0.9, description="share of frames that never arrive")
    freezes_per_min: float = Field(0.0, ge=0, le=60, description="how often the picture stands still for a second")

    @field_validator("size")
    @classmethod
    def _bounded(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not all(64 <= side <= 4096 and side % 2 == 0 for side in value):
            raise ValueError("both sides must be even numbers of pixels between 64 and 4096")
        if value[0] * value[1] > MOST_PIXELS:
            raise ValueError(f"a frame has at most {MOST_PIXELS:,} pixels (2560 × 1440), not {value[0] * value[1]:,}")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> FilmedCamera:
        named = [name for name in ("mount", "at", "distance") if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} both say where it hangs; keep one of them")
        if self.distance is not None and self.height is not None:
            raise ValueError("`height` follows from `distance` and `tilt`; leave it out")
        return self


class Contrast(Strict):
    """One cause that is changed while all else stays; the first level is what the others are compared with."""

    cause: str = Field(description="an attribute of people (tone, glasses, shirt, …), `light`, or a camera's setting")
    levels: list[Level] = Field(min_length=2, max_length=12, description="the first is the baseline")
    placebo: bool = Field(False, description="a change that should do nothing: shows that the test stays silent")


class Synthetic(Strict):
    """People who do not exist, filmed by cameras that behave like real ones."""

    kind: Literal["synthetic"] = Field(description="made up")
    people: list[MadeUp] = Field(min_length=1, description="who there is; everyone is enrolled")
    scene: SceneName = Field("corridor", description="where they are")
    light: LightName = Field("daylight", description="how it is lit")
    cameras: list[FilmedCamera] = Field(min_length=1, description="what films them")
    staging: Literal["walks", "one by one"] = Field(
        "walks", description="they walk through as people do, or come before the camera one after another"
    )
    every_s: float = Field(2.0, gt=0, le=600, description="walks: somebody comes this often, on average")
    passes: int = Field(1, ge=1, le=100, description="walks: how often each person comes through")
    days: int = Field(
        1, ge=1, le=60, description="the cameras film so many days; who comes again may wear another shirt, put on a "
        "cap or leave it, and tie or open long hair; face, glasses, beard and headscarf stay",
    )  # fmt: skip
    return_rate: float = Field(
        1.0, gt=0, le=1, description="everybody comes on the first day, and on each later day with this chance"
    )
    paths: list[str | list[Point]] = Field(
        default_factory=list, description="walks: names of the scene's paths, or points x, z; unset: all of the scene's"
    )
    frames_each: int = Field(5, ge=1, le=100, description="one by one: frames of each person")
    photograph_px: float = Field(
        90.0, ge=8, le=90, description="of the reference photographs: pixels between the eyes; below 90 they are shrunk"
    )
    contrasts: list[Contrast] = Field(default_factory=list, description="causes to change, one at a time")
    within: dict[str, list[Level]] = Field(
        default_factory=dict, description="each contrast is made at each of these, e.g. {light: [daylight, night]}"
    )
    every: int = Field(1, ge=1, description="show the system every n-th frame")
    segment: int = Field(64, ge=1, le=1000, description="frames per resumable part")

    @property
    def causes(self) -> tuple[str, ...]:
        """All that changes between arms."""
        return (*(contrast.cause for contrast in self.contrasts), *self.within)

    @model_validator(mode="after")
    def _hangs_together(self) -> Synthetic:
        refuse(self._misfits())
        return self

    def _misfits(self) -> Iterator[Misfit]:
        names = [camera.name for camera in self.cameras]
        for i, name in enumerate(names):
            if name in names[:i]:
                yield ("cameras", i, "name"), f"two cameras are called {name!r}; give each its own name"
            elif any(name == of_day(other, day) for other in names for day in range(2, self.days + 1)):
                yield ("cameras", i, "name"), f"{name!r} is how a later day of another camera is called; rename it"
        if self.return_rate < 1 and self.days == 1:
            yield ("return_rate",), "there is one day only; add `days`, or leave it out"
        places = [*((("contrasts", i, "cause"), each.cause) for i, each in enumerate(self.contrasts)),
                  *((("within", cause), cause) for cause in self.within)]  # fmt: skip
        known = True
        for i, (place, cause) in enumerate(places):
            if cause not in CAUSES:
                known = False
                yield place, f"{cause} is nothing that can be changed; choose among {', '.join(sorted(CAUSES))}"
            elif cause in [other for _, other in places[:i]]:
                yield place, f"{cause} is changed already; name it once"
        if self.staging == "one by one" and (self.passes > 1 or self.paths):
            key = "passes" if self.passes > 1 else "paths"
            yield (key,), "is for `staging: walks`; one by one, everybody comes to the scene's spot once"
        if self.contrasts and self.passes > 1:
            yield ("passes",), "contrasts are of one pass of everybody; leave it out"
        if self.contrasts and self.days > 1:
            yield ("days",), "contrasts are of one pass of everybody; leave it out"
        for i, kind in enumerate(self.people):
            for name in set(kind.declared) & set(self.causes):
                yield ("people", i, name), "is changed for everybody under `contrasts`; leave it out here"
        if self.within and not self.contrasts:
            yield ("within",), "says where contrasts are made; name one under `contrasts`"
        if self.contrasts and len(self.cameras) > 1:
            yield ("cameras",), "contrasts are made before one camera; keep one, and say what changes in `contrasts`"
        if not known or not self.contrasts or len(self.cameras) > 1:
            return
        for cause, levels in (*((each.cause, each.levels) for each in self.contrasts), *self.within.items()):
            place = ("within", cause) if cause in self.within else ("contrasts",)
            if len(set(map(_said, levels))) < len(levels):
                yield place, f"{cause} has a level twice; name each once"
            for level in levels:
                if wrong := _misfit(self, cause, level):
                    yield place, f"{cause}: {_said(level)} {wrong}"
        if (count := len(arms(self))) > MOST_ARMS:
            yield ("contrasts",), f"make {count} arms of at most {MOST_ARMS}; shorten the lists"


def _misfit(synthetic: Synthetic, cause: str, level: Level) -> str:
    """What keeps people, or the camera, from having a level; or ""."""
    try:
        if cause in OF_PEOPLE:
            MadeUp.model_validate({"count": 1, cause: level})
        elif cause == PHOTOGRAPH:
            Synthetic.model_validate({**synthetic.model_dump(exclude={"contrasts", "within"}), cause: level})
        else:
            Arm("", {cause: level}).camera(synthetic)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ").replace("Input should", "it should")
        return f"is no level of it ({said})"
    return ""


OF_PEOPLE = tuple(name for name in MadeUp.model_fields if name not in ("count", "alike"))
OF_BODIES = ("sex", "age", "tone", "family")
"""What a reference photograph shares with the arm; all else is put on, or cut, after it was taken."""
OF_CAMERAS = tuple(
    name
    for name in FilmedCamera.model_fields
    if name not in ("name", "scene", "mount", "at", "light", "fps", "clock", "size")
)
PHOTOGRAPH = "photograph_px"
"""The quality of the reference photographs: a cause that changes no film."""
CAUSES = (*OF_PEOPLE, "light", PHOTOGRAPH, *OF_CAMERAS)


def of_day(camera: str, day: int) -> str:
    """The name of what a camera filmed on a day: table TRANSITS and all others know the day by it."""
    return camera if day == 1 else f"{camera}.day-{day}"


def days_of(synthetic: Synthetic) -> dict[str, int]:
    """The day, from 1, of each clip of cameras that film several days."""
    return {of_day(camera.name, day): day for camera in synthetic.cameras for day in range(1, synthetic.days + 1)}


@dataclass(frozen=True)
class Arm:
    """One setting of every cause: a film of its own. name is empty where nothing is contrasted."""

    name: str
    levels: Mapping[str, Level]

    @property
    def of_people(self) -> dict[str, Any]:
        """The attributes that everyone has in this arm."""
        return {cause: level for cause, level in self.levels.items() if cause in OF_PEOPLE}

    @property
    def enrolled(self) -> str:
        """Names the reference photographs that belong to this arm: who is changed in body is enrolled so."""
        own = (*OF_BODIES, PHOTOGRAPH)
        return ",".join(f"{c}={_said(level)}" for c, level in self.levels.items() if c in own) or "photograph"

    def photograph_px(self, synthetic: Synthetic) -> float:
        """Pixels between the eyes on the reference photographs of this arm."""
        return float(self.levels.get(PHOTOGRAPH, synthetic.photograph_px))

    def camera(self, synthetic: Synthetic, which: int = 0) -> FilmedCamera:
        """A camera as it is in this arm. Raises ValidationError for a level that it cannot have."""
        changed = {c: level for c, level in self.levels.items() if c not in (*OF_PEOPLE, PHOTOGRAPH)}
        return FilmedCamera.model_validate({**synthetic.cameras[which].model_dump(exclude_unset=True), **changed})


@dataclass(frozen=True)
class Pair:
    """Two arms that differ in one cause."""

    cause: str
    baseline: Level
    level: Level
    placebo: bool
    within: Mapping[str, Level]
    baseline_arm: str
    arm: str


def arms(synthetic: Synthetic) -> tuple[Arm, ...]:
    """Baseline and every changed level, at every setting of `within`; one nameless arm where nothing is contrasted."""
    return tuple({arm.name: arm for arm, _ in _made(synthetic)}.values())


def pairs(synthetic: Synthetic) -> tuple[Pair, ...]:
    """Which arms are compared."""
    return tuple(pair for _, pair in _made(synthetic) if pair)


def _made(synthetic: Synthetic) -> Iterator[tuple[Arm, Pair | None]]:
    baseline = {contrast.cause: contrast.levels[0] for contrast in synthetic.contrasts}
    for setting in product(*synthetic.within.values()):
        within = dict(zip(synthetic.within, setting, strict=True))
        first = _arm(within | baseline)
        yield first, None
        for contrast in synthetic.contrasts:
            for level in contrast.levels[1:]:
                arm = _arm(within | baseline | {contrast.cause: level})
                yield arm, Pair(
                    contrast.cause, contrast.levels[0], level, contrast.placebo, within, first.name, arm.name
                )  # fmt: skip


def _arm(levels: Mapping[str, Level]) -> Arm:
    return Arm(",".join(f"{cause}={_said(level)}" for cause, level in levels.items()), levels)


def _said(level: Level) -> str:
    return str(level).lower() if isinstance(level, bool) else f"{level:g}" if isinstance(level, float) else str(level)


LIGHTS: tuple[str, ...] = get_args(LightName)
SCENES: tuple[str, ...] = get_args(SceneName)

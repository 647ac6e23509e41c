"""A place: what it looks like, how it is lit, where people walk in it and where cameras hang."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kernels.raster import NEAREST, Light, Lights, Materials, Mesh
from pipelines.errors import InputError
from testbed.scenario.synthetic import LIGHTS, SCENES

Floats = npt.NDArray[np.float64]
Triple = tuple[float, float, float]

SHOULDER = 0.22
"""Metres between the middle of a walker and what they pass."""
STEP, STOOP = 0.15, 1.95
"""What is lower is stepped over, what is higher is walked under; metres."""
LAMP = 120.0
"""Candela-like strength of a camera's infrared lamp: what lux it gives from a metre away."""


@dataclass(frozen=True)
class Mount:
    """A place for a camera: metres and degrees. Pan 0 looks along −z, 90 along −x; tilt is downwards."""

    at: tuple[float, float]
    height: float
    pan: float
    tilt: float
    field: float

    @property
    def eye(self) -> Floats:
        """Where it sees from, `(3,)` metres."""
        return np.array([self.at[0], self.height, self.at[1]])


@dataclass(frozen=True)
class Lighting:
    """All light, as shares of `lux`: the illuminance that shows a white surface as linear 1.

    About that much falls on a face at the scene's spot; of infrared, as much as the lamp gives there.
    """

    lights: Lights
    lux: float
    monochrome: bool = False
    lamp: bool = False
    """An infrared lamp sits at the camera."""


@dataclass(frozen=True)
class Solid:
    """A block that stands in the way of cameras and walkers; `clear`: of glass, light passes."""

    name: str
    low: Triple
    high: Triple
    clear: bool = False


@dataclass(frozen=True, eq=False)
class Scene:
    """A place under one light, without people."""

    name: str
    meshes: tuple[Mesh, ...]
    """The sky is one of them, so that the edges before it are smooth."""
    materials: Materials
    outside: Triple
    """Linear colour of the sky, should a camera see past all meshes."""
    paths: Mapping[str, Floats]
    """`(n, 2)` metres, x and z."""
    spot: tuple[float, float]
    """Where a face is looked at; `heading`: which way it faces, degrees."""
    heading: float
    mounts: Mapping[str, Mount]
    """The first is the usual one."""
    lightings: Mapping[str, Lighting]
    solids: tuple[Solid, ...]
    air: tuple[Triple, Triple]
    """Lowest and highest corner of what cameras may hang in."""
    ground: tuple[tuple[float, float], tuple[float, float]]
    """Corners (x, z) of what is walked on."""

    def lighting(self, light: str, camera_eye: Floats) -> Lighting:
        """The light; infrared comes from a camera at that place. Raises InputError for an unknown name."""
        lit = self.lightings[_known("light", light, LIGHTS)]
        if not lit.lamp:
            return lit
        lamp = Light(np.asarray(camera_eye, np.float64), strength=LAMP / lit.lux, point=True)
        return replace(lit, lights=replace(lit.lights, lights=(*lit.lights.lights, lamp)))

    def within(self, eye: Floats) -> str:
        """What a camera at that place `(3,)` is in, such as "the floor", or "outside the scene"; "": free air."""
        eye = np.asarray(eye, np.float64)
        for solid in self.solids:
            if (eye > np.array(solid.low) - NEAREST).all() and (eye < np.array(solid.high) + NEAREST).all():
                return solid.name
        low, high = self.air
        return "" if (eye >= low).all() and (eye <= high).all() else "outside the scene"

    def misstep(self, points: Floats) -> str:
        """What is wrong with a path `(n, 2)`, such as "point 2 (9, 0) lies outside the shop"; "": nothing."""
        points = np.asarray(points, np.float64).reshape(-1, 2)
        if len(points) < 2:
            return f"a path needs two points or more, not {len(points)}"
        (left, far), (right, near) = self.ground
        standing = [each for each in self.solids if each.low[1] < STOOP and each.high[1] > STEP]
        for row, (x, z) in enumerate(points):
            if not (left <= x <= right and far <= z <= near):
                return f"point {row + 1} ({x:g}, {z:g}) lies outside the {self.name}"
            for solid in standing:
                if _passes(points[row], points[row], solid):
                    return f"point {row + 1} ({x:g}, {z:g}) lies in {solid.name}, or within a shoulder's width of it"
        for row, (start, end) in enumerate(pairwise(points)):
            for solid in standing:
                if _passes(start, end, solid):
                    return f"between points {row + 1} and {row + 2} it goes through {solid.name}"
        return ""


@cache
def scene(name: str, light: str) -> Scene:
    """The place of that name as it is under a light. Raises InputError for unknown names."""
    place = import_module(f"testbed.synthetic.scenes.{_known('scene', name, SCENES)}")
    built: Scene = place.built(_known("light", light, LIGHTS))
    return built


def _known(what: str, name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        raise InputError(f"{what}: {name!r} is not one of {', '.join(names)}")
    return name


def _passes(start: Floats, end: Floats, solid: Solid) -> bool:
    """Whether a walker from start to end, `(2,)`, touches a solid's footprint (slabs)."""
    low = np.array([solid.low[0], solid.low[2]]) - SHOULDER
    high = np.array([solid.high[0], solid.high[2]]) + SHOULDER
    way = np.where(np.abs(end - start) < 1e-9, 1e-9, end - start)
    enter, leave = np.sort([(low - start) / way, (high - start) / way], axis=0)
    return bool(max(enter.max(), 0.0) < min(leave.min(), 1.0))

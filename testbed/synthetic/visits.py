"""Who comes before a camera, when, and along which way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from testbed.scenario.synthetic import Synthetic
from testbed.synthetic.people.identity import numbered
from testbed.synthetic.scenes.scene import Scene

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Visit:
    """One person comes by once. way: points `(n, 2)` metres to walk along, or the one spot to come up to."""

    person: int
    number: int
    """The person's how-manieth visit, from 1."""
    starts: float
    lasts: float | None
    """Seconds at the spot; None: as long as the way takes."""
    way: Points
    seed: int


def ways(synthetic: Synthetic, scene: Scene) -> Mapping[str, Points]:
    """The paths that people take, by name. Raises InputError for one that the scene has not, or that leads astray."""
    if not synthetic.paths:
        return dict(scene.paths)
    chosen: dict[str, Points] = {}
    for row, path in enumerate(synthetic.paths):
        if isinstance(path, str):
            if path not in scene.paths:
                raise InputError(
                    f"probes.paths[{row}]: the {scene.name} has no path {path!r}; it has {', '.join(scene.paths)}"
                )
            chosen[path] = scene.paths[path]
            continue
        points = np.array(path, np.float64).reshape(-1, 2)
        if len(points) < 2:
            raise InputError(f"probes.paths[{row}]: has one point; a path needs two or more")
        if wrong := scene.misstep(points):
            raise InputError(f"probes.paths[{row}]: {wrong}; keep it within the {scene.name}")
        chosen[f"path {row + 1}"] = points
    return chosen


def coming(synthetic: Synthetic, people: int, seed: int, day: int) -> list[int]:
    """Who comes on a day: on the first, everybody. Raises InputError where it is nobody."""
    draws = (numbered(seed, f"return/{person}/day-{day}") / (1 << 56) for person in range(people))
    found = [person for person, draw in enumerate(draws) if day == 1 or draw < synthetic.return_rate]
    if not found:
        raise InputError(
            f"probes.return_rate: nobody of {people} comes on day {day}; raise it, or let more people come"
        )
    return found


def visits(synthetic: Synthetic, scene: Scene, people: int, seed: int, fps: float, day: int = 1) -> Sequence[Visit]:
    """A day's visits to a scene, in the order in which they start; the same for all cameras that hang in it."""
    there, of_day = coming(synthetic, people, seed, day), "" if day == 1 else f"/day-{day}"
    if synthetic.staging == "one by one":
        lasts = synthetic.frames_each / fps
        spot = np.array([scene.spot], np.float64)
        return [
            Visit(person, 1, place * lasts, lasts, spot, numbered(seed, f"visit/{person}{of_day}"))
            for place, person in enumerate(there)
        ]
    paths = list(ways(synthetic, scene).values())
    random = np.random.default_rng(numbered(seed, f"visits/{scene.name}{of_day}"))
    found, clock = [], 0.0
    for number in range(synthetic.passes):
        for person in random.permutation(there):
            way = paths[random.integers(len(paths))]
            found.append(Visit(int(person), number + 1, clock, None, way, int(random.integers(1 << 32))))
            clock += synthetic.every_s * random.uniform(0.5, 1.5)
    return found

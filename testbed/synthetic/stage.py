"""Who is before a camera as time goes on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kernels.raster import joined
from testbed.synthetic.camera import View
from testbed.synthetic.clips import Clip
from testbed.synthetic.faces import head_axes
from testbed.synthetic.people.identity import Identity
from testbed.synthetic.people.person import Person, Pose
from testbed.synthetic.people.walking import Route, Walker
from testbed.synthetic.visits import Visit

MOMENT = 1e-6
"""Seconds: more than times that are sums of fractions are off, less than anything moves in."""
REACH = 1.5
"""Metres around a person within which they, or their shadow, may be in the picture."""


def subject(person: int) -> str:
    """The id of a person, by their place in the population."""
    return f"P{person + 1:04d}"


def transit(clip: Clip, visit: Visit) -> str:
    """The name of a visit as one camera sees it."""
    return f"{clip.name}/{subject(visit.person)}/{visit.number}"


class Actor:
    """A person on one visit."""

    def __init__(self, visit: Visit, identity: Identity, clip: Clip) -> None:
        place = clip.place
        self.person = Person(identity, infrared=clip.camera.light == "infrared")
        self.subject, self.transit = subject(visit.person), transit(clip, visit)
        if visit.lasts is None:
            self.walker = Walker(self.person, Route(visit.way), visit.starts, seed=visit.seed)
        else:
            spot = (float(visit.way[0, 0]), float(visit.way[0, 1]))
            self.walker = Walker.stays(self.person, spot, place.heading, visit.starts, visit.lasts, visit.seed)
        standing = self.person.posed(Pose())
        self.straight = head_axes(standing.landmarks)
        self.height = float(standing.landmarks.left_eye[1])

    def near(self, seconds: float, view: View) -> bool:
        """Whether any of them, or their shadow, may be in the picture."""
        x, z = self.walker.pose(seconds).at
        pinhole = view.pinhole
        ((right, _, ahead),) = pinhole.seen(np.array([[x, 1.0, z]]))
        slope = max(pinhole.centre[0], pinhole.width - pinhole.centre[0]) / pinhole.focal[0]
        return bool(ahead > -REACH and abs(right) < max(ahead, 0.0) * slope + REACH * np.hypot(1, slope))

    def moving(self, seconds: float, view: View) -> tuple[npt.NDArray[np.float64], float]:
        """Pixels a second that the head moves on the picture `(2,)`, from the next twentieth; and metres away."""
        step = 0.05 if seconds + 0.05 <= self.walker.ends else -0.05
        places = [(pose.at[0], self.height, pose.at[1]) for pose in map(self.walker.pose, (seconds, seconds + step))]
        here, there = view.pinhole.project(np.array(places))[:, :2]
        return np.nan_to_num((there - here) / step), float(np.linalg.norm(places[0] - np.asarray(view.pinhole.eye)))


class Stage:
    """Who is there as time goes on. People are made when they come, and forgotten when they have gone."""

    def __init__(self, clip: Clip, coming: Sequence[Visit], people: Sequence[Identity], view: View) -> None:
        self._clip, self._coming, self._people, self._view = clip, list(coming), people, view
        self._there: list[Actor] = []
        self.present: list[Actor] = []
        self.materials, self.first_material = joined([]), list[int]()

    def go_on(self, seconds: float) -> bool:
        """Let people come and go; False once all have gone."""
        seconds += MOMENT  # whoever comes as another goes is never there together with them
        while self._coming and self._coming[0].starts <= seconds:
            visit = self._coming.pop(0)
            self._there.append(Actor(visit, self._people[visit.person], self._clip))
        self._there = [actor for actor in self._there if actor.walker.ends > seconds]
        present = [actor for actor in self._there if actor.near(seconds, self._view)]
        if present != self.present:
            parts = [actor.person.materials for actor in present]
            self.materials = joined(parts)
            self.first_material = [sum(len(part.textures) for part in parts[:row]) for row in range(len(parts))]
        self.present = present
        return bool(self._coming or self._there)

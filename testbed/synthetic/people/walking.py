"""How somebody walks along a route: steps that do not slide, a head that looks about, eyes that wander and blink."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, cos, degrees, exp, floor, pi, radians, sin, sqrt, tan

import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from testbed.synthetic.people.identity import numbered
from testbed.synthetic.people.limbs import Foot
from testbed.synthetic.people.person import Person, Pose

ROUND = 0.8
"""Radius of a corner's arc where the route has room for it, metres."""
SHARPEST = 150.0
STANCE = 0.62
"""The share of a stride in which a foot bears weight, from the heel's strike to the toes' leaving."""
AHEAD = 0.26
"""Strides by which a foot strikes before its hip."""
ROLL = ((0, 0.08, 0.29, 0.50, 0.62, 0.74, 0.88, 1.0), (-16, 0, 0, 25, 54, 28, -8, -16))
"""A foot's pitch through a stride, degrees: toes up at the strike, flat, heel up as it leaves (after Perry, 1992)."""
WIDTH, CLEAR, SWAY, ARMS = 0.065, 0.045, 0.018, 20.0
"""A foot's way from the line walked, its lift, the body's sway (metres), and the swing of the arms (degrees)."""
RATIO = 0.36
"""Step length² over speed, m·s, of a leg of 0.88 m: people lengthen steps and hasten them together, at nearly one
ratio for each (Sekiya and Nagasaki, 1998)."""
USUAL_LEG = 0.88
LEAD = 5.0
"""Seconds for which the wandering of eyes and head is drawn before and after the walk."""

_Drawn = Callable[[np.random.Generator], npt.NDArray[np.float64]]


class Route:
    """A way through points `(n, 2)`, metres x, z, with rounded corners. Raises InputError for one nobody can walk."""

    def __init__(self, points: npt.ArrayLike) -> None:
        given = np.asarray(points, float)
        if given.ndim != 2 or given.shape[1:] != (2,) or len(given) < 2 or not np.isfinite(given).all():
            raise InputError("a path needs two or more points, each x, z in metres")
        legs = np.diff(given, axis=0)
        lengths = np.hypot(*legs.T)
        if (lengths < 0.01).any():
            where = 1 + int(np.argmin(lengths))
            raise InputError(f"points {where} and {where + 1} of a path are the same place; leave one out")
        heading = np.unwrap(np.arctan2(legs[:, 0], legs[:, 1]))
        places, headings = [given[0]], [heading[0]]
        for row, turn in enumerate(np.diff(heading), 1):
            if abs(degrees(turn)) > SHARPEST:
                raise InputError(
                    f"a path turns by {abs(degrees(turn)):.0f}° at its point {row + 1}; at most {SHARPEST:g}°"
                )
            half = abs(turn) / 2
            radius = min(ROUND, 0.5 * min(lengths[row - 1], lengths[row]) / max(tan(half), 1e-9))
            bend, first = heading[row - 1] + turn * np.linspace(0, 1, 2 + ceil(degrees(2 * half) / 5)), given[row]
            first = first - radius * tan(half) * legs[row - 1] / lengths[row - 1]
            away = np.sign(turn) * radius
            places += [first + away * np.array([cos(bend[0]) - cos(at), sin(at) - sin(bend[0])]) for at in bend]
            headings += list(bend)
        self._places, self._headings = np.array([*places, given[-1]]), np.array([*headings, heading[-1]])
        self._along = np.concatenate([[0], np.hypot(*np.diff(self._places, axis=0).T).cumsum()])
        self.length = float(self._along[-1])

    def at(self, metres: float) -> tuple[float, float, float]:
        """x, z and heading (degrees) so far along; before its beginning and after its end it goes straight on."""
        x, z, heading = (float(np.interp(metres, self._along, each)) for each in (*self._places.T, self._headings))
        over = min(metres, 0.0) + max(metres - self.length, 0.0)
        return x + over * sin(heading), z + over * cos(heading), degrees(heading)


class Walker:
    """One person's walk along a route, from `starts` (seconds) to `ends`; before and after it they walk straight on.

    Speed (metres a second, unless it is given), cadence, glances and blinks are draws from the person's seed and the
    walk's: nothing of them follows from skin, clothes or light; of the body, legs and years alone count. Speeds
    are normal, 1.25 ± 0.15 for legs of 0.88 m, less 0.003 for each year above 40 (near what Bohannon and Williams
    Andrews, 2011, found of people walking at their ease).

    The head looks ahead for seven tenths of the time (4° to the sides and 3° around 3° downwards, standard
    deviations), else up to 25° aside and 10° up or down, for 0.6 to 2 s at once. Eyes jump to another place every 0.3
    to 1.2 s (7° and 3°, at most 18° and 8°). Lids close for 0.15 to 0.3 s every 2 to 6 s. A fifth of all walkers
    talk, half of the time; mouths smile more or less. These shares are plausible, not measured.
    """

    def __init__(
        self, person: Person, route: Route, starts: float, speed: float | None = None, seed: int = 0,
        restless: float = 1.0,
    ) -> None:  # fmt: skip
        own = person.identity
        self.route, self.starts, self._seed = route, starts, own.stream(f"walk/{seed}")
        leg = person.limbs.leg
        if speed is None:
            usual = 1.25 + 0.15 * own.normal("walking speed") - 0.003 * max(own.years - 40, 0)
            usual *= sqrt(leg / USUAL_LEG) * exp(0.04 * self._random("speed").standard_normal())
            speed = min(max(usual, 0.7), 1.8)
        self.speed = speed
        self.ends = starts + route.length / speed
        self.step = sqrt(RATIO * speed * leg / USUAL_LEG) * exp(0.05 * min(max(own.normal("step length"), -2), 2))
        self.step = min(self.step, 0.76 * leg)
        self._vigour = self.step / (0.72 * leg)
        self._begins = float(self._random("phase").uniform())
        self._toes_out = 6 + 3 * min(max(own.normal("toes out"), -2), 2)
        self._shift = np.zeros(2)

        self._head = self._track("head", (0.6, 2.0), 0.5, lambda draw: restless * _glance(draw))
        self._eyes = self._track("eyes", (0.3, 1.2), 0.04, lambda draw: np.clip(
            draw.standard_normal(2) * (7, 3), (-18, -8), (18, 8)
        ))  # fmt: skip
        mood = own.uniform("smiles")
        self._mouth = self._track("mouth", (1.0, 4.0), 0.7, lambda draw: np.array([
            0.35 * mood * draw.uniform() + 0.02, 0.25 * draw.uniform()
        ]))  # fmt: skip
        talks = self._random("talks").uniform() < 0.2
        self._speech = self._track("speech", (0.5, 2.5), 0.2, lambda draw: np.array([
            talks * float(draw.uniform() < 0.5), draw.uniform(0.6, 1)
        ]))  # fmt: skip
        draw, at, blinks = self._random("blinks"), starts - LEAD, []
        while at < self.ends + LEAD:
            at += draw.uniform(2, 6)
            blinks.append((at, draw.uniform(0.15, 0.30)))
        self._blinks = np.array(blinks)

    @classmethod
    def stays(
        cls, person: Person, at: tuple[float, float], heading: float, starts: float, seconds: float, seed: int = 0
    ) -> Walker:
        """Somebody who comes up to a spot: slow steps, 0.3 m/s towards the heading, the eyes over it at half time.

        They heed what is before them: the head turns a third as far as a walker's. Raises InputError for no time.
        """
        if not (seconds > 0 and np.isfinite(seconds)):
            raise InputError(f"somebody cannot stay for {seconds:g} seconds; give more than 0")
        towards, speed = np.array([sin(radians(heading)), cos(radians(heading))]), 0.3
        way = towards * max(seconds * speed, 0.02) / 2
        speed = 2 * float(np.hypot(*way)) / seconds
        walker = cls(person, Route(np.stack([at - way, at + way])), starts, speed, seed, restless=1 / 3)
        marks = person.posed(walker.pose(starts + seconds / 2)).landmarks
        walker._shift = np.array(at) - (marks.left_eye + marks.right_eye)[[0, 2]] / 2
        return walker

    def pose(self, seconds: float) -> Pose:
        """How they are at a time; the times may come in any order."""
        gone = (seconds - self.starts) * self.speed
        x, z, heading = self.route.at(gone)
        stride = gone / (2 * self.step) + self._begins
        aside = SWAY * cos(2 * pi * (stride - STANCE / 2))
        yaw, pitch = self._head.at(seconds)
        gaze = self._eyes.at(seconds)
        swing = ARMS * self._vigour * cos(2 * pi * (stride - 0.03))
        return Pose(
            yaw=float(yaw), pitch=float(pitch), heading=heading, at=self._beside(x, z, heading, aside),
            gaze=(float(gaze[0]), float(gaze[1])), expression=self._expression(seconds),
            feet=(self._foot(gone, 0.0, 1), self._foot(gone, 0.5, -1)), arms=(-swing, swing),
        )  # fmt: skip

    def _foot(self, gone: float, behind: float, side: int) -> Foot:
        """The left (side 1) or right foot when the body is so far along."""
        long = 2 * self.step
        stride = gone / long + self._begins - behind
        share = stride - floor(stride)
        swung = max(0.0, share - STANCE) / (1 - STANCE)
        # Hermite: it leaves the floor at rest and strikes as fast as the body goes, so that legs need not reach further
        onwards = swung**2 * (3 - 2 * swung) + (1 - STANCE) * swung**2 * (swung - 1)
        x, z, heading = self.route.at((floor(stride) + behind - self._begins + AHEAD + onwards) * long)
        return Foot(
            self._beside(x, z, heading, side * WIDTH), heading + side * self._toes_out,
            self._vigour * float(np.interp(share, *ROLL)), self._vigour * CLEAR * sin(pi * swung**0.8),
        )  # fmt: skip

    def _beside(self, x: float, z: float, heading: float, left: float) -> tuple[float, float]:
        turn = radians(heading)
        return x + left * cos(turn) + float(self._shift[0]), z - left * sin(turn) + float(self._shift[1])

    def _expression(self, seconds: float) -> dict[str, float]:
        smile, apart = self._mouth.at(seconds)
        speaks, loud = self._speech.at(seconds)
        syllable = 0.5 + 0.3 * sin(2 * pi * 4.3 * seconds) + 0.2 * sin(2 * pi * 2.7 * seconds + 1)
        row = int(np.searchsorted(self._blinks[:, 0], seconds)) - 1
        closed = sin(pi * min((seconds - self._blinks[row, 0]) / self._blinks[row, 1], 1)) if row >= 0 else 0.0
        found = {
            "mouth-corner-puller": float(smile), "eye-left-closure": closed, "eye-right-closure": closed,
            "mouth-open": float(0.05 * apart + 0.25 * speaks * loud * syllable),
        }  # fmt: skip
        return {name: weight for name, weight in found.items() if weight > 1e-3}

    def _random(self, name: str) -> np.random.Generator:
        return np.random.default_rng(numbered(self._seed, name))

    def _track(self, name: str, gap: tuple[float, float], ease: float, drawn: _Drawn) -> _Track:
        draw, at = self._random(name), self.starts - LEAD
        times, values = [], []
        while at < self.ends + LEAD:
            times.append(at)
            values.append(drawn(draw))
            at += draw.uniform(*gap)
        return _Track(np.array(times), np.array(values), ease)


class _Track:
    """Values that jump at some times, each reached smoothly within `ease` seconds."""

    def __init__(self, times: npt.NDArray[np.float64], values: npt.NDArray[np.float64], ease: float) -> None:
        self.times, self.values, self.ease = times, values, ease

    def at(self, seconds: float) -> npt.NDArray[np.float64]:
        row = max(int(np.searchsorted(self.times, seconds, "right")) - 1, 0)
        share = min(max((seconds - self.times[row]) / self.ease, 0.0), 1.0)
        before = self.values[max(row - 1, 0)]
        return np.asarray(before + share * share * (3 - 2 * share) * (self.values[row] - before))


def _glance(draw: np.random.Generator) -> npt.NDArray[np.float64]:
    """Where a head turns next: yaw and pitch, degrees."""
    aside, ahead = draw.uniform((-25, -10), (25, 10)), np.array([0, 3]) + draw.standard_normal(2) * (4, 3)
    return aside if draw.uniform() < 0.3 else ahead

"""Arms and legs: how they hang, and how they reach where the feet stand in a stride."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from testbed.synthetic.assets import assets
from testbed.synthetic.people.template import Floats, Ints

ARM = (("upperarm",), ("lowerarm", "wrist", "finger", "metacarpal"))
LEG = (("upperleg",), ("lowerleg",), ("foot",), ("toe",))
"""Bones by the start of their names, from the trunk outwards."""
HANG, UNDER = 34, 6
"""How far arms and legs are turned about z to hang, degrees: the asset's are spread."""
EXTEND = 32
"""How far walking straightens the elbows, which the asset bends, degrees."""
STRAIGHT, UPRIGHT = 0.997, 0.99
"""The most that hip and ankle come apart in a stride, and in its middle, as shares of thigh and shin together."""
SOFT = 0.2
"""How softly the hip follows the shorter of both legs, decimetres: it rises and falls by 2 to 5 cm in a stride."""
SOLE = 0.07
"""How far a shoe's sole lies below the bare foot's, decimetres."""


@dataclass(frozen=True)
class Foot:
    """A foot as it stands, rolls or swings.

    at       the spot on the floor under its ankle when it is flat (x, z), metres in the world
    heading  where it points, degrees as a body's
    pitch    degrees: above 0 the heel is raised over the ball, which stays; below 0 the toes over the heel
    lift     metres that all of it is raised
    """

    at: tuple[float, float]
    heading: float = 0.0
    pitch: float = 0.0
    lift: float = 0.0


class Limbs:
    """The joints of one body, made once; moves vertices `(V, 3)` of the asset's mesh, decimetres."""

    def __init__(self, rest: Floats) -> None:
        mesh = assets()
        self.shoulder, self.elbow, self.hip, self.knee, self.ankle, self.ball = (
            np.stack([mesh.joint(rest, f"{side}-{name}") for side in "lr"])
            for name in ("shoulder", "elbow", "upper-leg", "knee", "ankle", "foot-1")
        )
        soles = [rest[vertices[shares[2:].sum(0) > 0.5]] for vertices, shares in map(_moved, (LEG, LEG), "LR")]
        self.floor = float(min(sole[:, 1].min() for sole in soles)) - SOLE
        self.heel = np.array(
            [[at[0], self.floor, sole[:, 2].min()] for at, sole in zip(self.ankle, soles, strict=True)]
        )
        self.thigh = float(np.linalg.norm(self.hip[0] - self.knee[0]))
        self.shin = float(np.linalg.norm(self.knee[0] - self.ankle[0]))
        self.leg = 0.1 * (self.thigh + self.shin + float(self.ankle[0, 1]) - self.floor)  # hip to floor, metres

    def hanging(self, bare: Floats, legs: bool) -> Floats:
        """Arms beside the body and, where they do not walk, legs under it."""
        bare = bare.copy()
        for side, sign in enumerate((1, -1)):
            for bones, joint, degrees in ((ARM, self.shoulder, HANG), (LEG, self.hip, UNDER))[: 1 + legs]:
                rows, share = _total(bones, "LR"[side])
                at = bare[rows]
                bare[rows] = at + share[:, None] * (turned(at, joint[side], rotation(0, 0, degrees * sign)) - at)
        return bare

    def swung(self, bare: Floats, arms: tuple[float, float]) -> Floats:
        """Hanging arms swung forwards, degrees; an elbow bends as its arm comes to the front."""
        bare = bare.copy()
        for side, (degrees, sign) in enumerate(zip(arms, (1, -1), strict=True)):
            rows, shares = _moved(ARM, "LR"[side])
            elbow = turned(self.elbow[side], self.shoulder[side], rotation(0, 0, HANG * sign))
            at = bare[rows]
            at = at + shares[1, :, None] * (turned(at, elbow, rotation(0, EXTEND - 0.6 * max(degrees, 0.0), 0)) - at)
            bare[rows] = at + shares.sum(0)[:, None] * (turned(at, self.shoulder[side], rotation(0, -degrees, 0)) - at)
        return bare

    def stepping(self, bare: Floats, feet: Sequence[Foot]) -> Floats:
        """Legs that reach from the hips to both feet, whose places are given in the body's axes (metres, degrees).

        The trunk keeps its place: the floor is where the feet are. Raises ValueError for a foot out of reach.
        """
        bare, turns = bare.copy(), [rotation(foot.heading, foot.pitch, 0) for foot in feet]
        flats = [rotation(foot.heading, 0, 0) for foot in feet]
        balls, ankles = np.zeros((2, 3)), np.zeros((2, 3))  # above a floor at 0
        for side, foot in enumerate(feet):
            spot = np.array([10 * foot.at[0], 10 * foot.lift, 10 * foot.at[1]])
            under = self.ankle[side] * [1, 0, 1] + [0, self.floor, 0]
            about = self.ball[side] if foot.pitch > 0 else self.heel[side]
            pivot = spot + flats[side] @ (about - under)
            ankles[side] = pivot + turns[side] @ (self.ankle[side] - about)
            balls[side] = pivot + turns[side] @ (self.ball[side] - about)
        across = np.hypot(*(ankles - self.hip)[:, [0, 2]].T)
        whole = self.thigh + self.shin
        if (across > 0.9 * whole).any():
            raise ValueError(
                f"a foot is {across.max() / 10:.2f} m from its hip, more than a leg of {self.leg:.2f} m can"
            )
        most = [*(ankles[:, 1] + np.sqrt((STRAIGHT * whole) ** 2 - across**2)),
                self.ankle[:, 1].mean() - self.floor + UPRIGHT * whole]  # fmt: skip
        high = min(most) - SOFT * np.log(np.exp((min(most) - np.array(most)) / SOFT).sum())  # a smooth minimum
        below = np.array([0, self.hip[:, 1].mean() - high, 0])
        for side in (0, 1):
            hip, ankle = self.hip[side], ankles[side] + below
            knee = self._knee(hip, ankle, flats[side][:, 0])
            moves = [
                (_aligned(self.knee[side] - hip, knee - hip, flats[side]), hip, hip),
                (_aligned(self.ankle[side] - self.knee[side], ankle - knee, flats[side]), self.knee[side], knee),
                (turns[side], self.ankle[side], ankle),
                (flats[side] if feet[side].pitch > 0 else turns[side], self.ball[side], balls[side] + below),
            ]
            rows, shares = _moved(LEG, "LR"[side])
            at = bare[rows]
            bare[rows] = at + sum(
                share[:, None] * (turned(at, old, turn) + np.asarray(new - old, np.float32) - at)
                for share, (turn, old, new) in zip(shares, moves, strict=True)
            )
        return bare

    def _knee(self, hip: Floats, ankle: Floats, left: Floats) -> Floats:
        """Where a knee bends forwards between hip and ankle; `left` is the axis it bends about."""
        apart = float(np.linalg.norm(ankle - hip))
        down = (ankle - hip) / apart
        front = np.cross(down, left)
        along = (self.thigh**2 + apart**2 - self.shin**2) / (2 * apart)
        return np.asarray(
            hip + along * down + np.sqrt(max(self.thigh**2 - along**2, 0)) * front / np.linalg.norm(front)
        )


def turned(places: Floats, about: Floats, rotation: Floats) -> Floats:
    """Places `(…, 3)` turned about a point; without BLAS, whose sums may depend on its threads."""
    return np.asarray(np.einsum("...k,jk->...j", places - about, rotation) + about, np.float32)


def rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Left about y, then down about x, then clockwise (seen from the front, to the person's left) about z; degrees."""
    (cy, cx, cz), (sy, sx, sz) = np.cos(np.radians([yaw, pitch, roll])), np.sin(np.radians([yaw, pitch, roll]))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_z = np.array([[cz, sz, 0], [-sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)


def _aligned(old: Floats, new: Floats, body: Floats) -> Floats:
    """The rotation that lays a bone along another direction and turns its front as `body` does."""

    def frame(along: Floats, left: Floats) -> Floats:
        down = along / np.linalg.norm(along)
        front = np.cross(down, left)
        front /= np.linalg.norm(front)
        return np.stack([np.cross(front, down), down, front], 1)

    return np.asarray(frame(new, body[:, 0]) @ frame(old, np.array([1.0, 0, 0])).T, np.float32)


@cache
def _moved(bones: tuple[tuple[str, ...], ...], side: str) -> tuple[Ints, Floats]:
    """The vertices `(n,)` that a limb moves, and each bone's shares in them `(bones, n)`."""
    shares = np.stack([_share(each, side) for each in bones])
    rows = np.flatnonzero(shares.sum(0))
    return rows.astype(np.int32), shares[:, rows]


@cache
def _total(bones: tuple[tuple[str, ...], ...], side: str) -> tuple[Ints, Floats]:
    """The vertices `(n,)` that a limb moves, and the whole limb's share in them `(n,)`."""
    share = _share(tuple(name for each in bones for name in each), side)
    rows = np.flatnonzero(share)
    return rows.astype(np.int32), share[rows]


def _share(names: tuple[str, ...], side: str) -> Floats:
    chosen = [w for bone, w in assets().weights.items() if bone.startswith(names) and bone.endswith(f".{side}")]
    return np.asarray(np.clip(np.sum(chosen, axis=0), 0, 1), np.float32)

"""A person ready to be drawn: the mesh in a pose, its materials, and where the landmarks are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from kernels.raster import Materials, Mesh
from testbed.synthetic.assets import assets
from testbed.synthetic.people.coverings import Covering, coverings
from testbed.synthetic.people.identity import Identity
from testbed.synthetic.people.limbs import SOLE, Foot, Limbs, rotation, turned
from testbed.synthetic.people.paint import textures
from testbed.synthetic.people.shape import shaped
from testbed.synthetic.people.template import Floats, Material, normals, template

METRES = np.float32(0.1)
EXPRESSION = "expression/units/caucasian/"
EASE = {Material.SHIRT: 0.11, Material.TROUSERS: 0.13, Material.SHOES: SOLE}
"""How far clothes stand off the body, decimetres."""
GLOSS = {Material.SKIN: 0.10, Material.HANDS: 0.08, Material.EYES: 0.12, Material.TEETH: 0.2, Material.HAIR: 0.06,
         Material.SHOES: 0.2, Material.FRAMES: 0.4}  # fmt: skip
SCATTER = dict.fromkeys((Material.SKIN, Material.HANDS), (0.30, 0.14, 0.10))
TWO_SIDED = {Material.LASHES, Material.TEETH, Material.SHIRT, Material.TROUSERS, Material.SHOES, Material.HAIR,
             Material.FRAMES, Material.HEADWEAR, Material.MASK}  # fmt: skip


@dataclass(frozen=True)
class Pose:
    """How a person holds themselves, and where. Degrees; metres.

    yaw         the head to the person's left; pitch: downwards; roll: towards the left shoulder
    heading     the body, about the vertical; 0 faces +z
    at          where the feet stand (x, z)
    gaze        the eyes to the left, and downwards
    expression  targets under the asset's expression/units, such as mouth-open, with weights
    feet        left and right, where they are in a stride; None: standing
    arms        left and right, swung forwards in a stride
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    heading: float = 0.0
    at: tuple[float, float] = (0.0, 0.0)
    gaze: tuple[float, float] = (0.0, 0.0)
    expression: Mapping[str, float] = field(default_factory=dict)
    feet: tuple[Foot, Foot] | None = None
    arms: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Landmarks:
    """Places in the world, metres `(3,)`: what the truth about a face is computed from. Left is the person's."""

    left_eye: Floats
    right_eye: Floats
    nose: Floats
    left_mouth: Floats
    right_mouth: Floats


@dataclass(frozen=True, eq=False)
class Posed:
    """A person in a pose."""

    mesh: Mesh
    landmarks: Landmarks
    face: Floats  # (n, 3), places on the skin of the face, for boxes and visibility


class Person:
    """A person, made once and then posed as often as wanted.

    infrared: as a camera without colour sees them by lamps of 850 nm; the shape is the same.
    """

    def __init__(self, identity: Identity, infrared: bool = False) -> None:
        self.identity, self.infrared = identity, infrared
        self.rest = shaped(identity)
        self.worn: list[Covering] = coverings(identity, self.rest)

    @cached_property
    def limbs(self) -> Limbs:
        """The joints of arms and legs."""
        return Limbs(self.rest)

    @cached_property
    def materials(self) -> Materials:
        """What the mesh is made of: a texture, gloss and sides for each Material."""
        return Materials(
            textures=textures(self.identity, self.infrared),
            gloss=np.array([GLOSS.get(each, 0.03) for each in Material], np.float32),
            double_sided=np.array([each in TWO_SIDED for each in Material]),
            cutout=np.array([each == Material.LASHES for each in Material]),
            scatter=np.array([
                (0.3, 0.3, 0.3) if self.infrared and each in SCATTER else SCATTER.get(each, (0.1, 0.1, 0.1))
                for each in Material
            ]),
        )  # fmt: skip

    def body(self, pose: Pose = Pose()) -> Floats:
        """The asset's mesh in a pose, `(V, 3)` decimetres in the body's own axes, trunk where it is at rest."""
        mesh, made = assets(), template()
        bare = self.rest.copy()
        for name, weight in pose.expression.items():
            vertices, moves = mesh.targets[EXPRESSION + name]
            bare[vertices] += np.float32(weight) * moves
        for joint, eyeball in zip(("l-eye", "r-eye"), made.eyes, strict=True):
            bare[eyeball] = turned(bare[eyeball], mesh.joint(self.rest, joint), rotation(*pose.gaze, 0))
        bare += made.turns[:, None] * (turned(bare, *self._head(pose)) - bare)
        bare = self.limbs.hanging(bare, legs=pose.feet is None)
        if pose.feet:
            bare = self.limbs.swung(bare, pose.arms)
            bare = self.limbs.stepping(bare, [_seen_from(pose, foot) for foot in pose.feet])
        return bare

    def posed(self, pose: Pose = Pose()) -> Posed:
        """The mesh in the world: y up, metres, the lowest foot on y = 0."""
        mesh, made, bare, head = assets(), template(), self.body(pose), self._head(pose)
        stacked = [(made.body.of(bare), made.body.triangles, made.body.uv, made.body.material)]
        stacked.append((self._clothes(bare), made.clothes.triangles, made.clothes.uv, made.clothes.material))
        for each in self.worn:
            at = each.positions + each.turns[:, None] * (turned(each.positions, *head) - each.positions)
            stacked.append((at, each.triangles, each.uv, np.full(len(each.triangles), each.material, np.int32)))
        counts = np.cumsum([0, *(len(each[0]) for each in stacked)])
        positions = np.concatenate([each[0] for each in stacked]).astype(np.float32)
        tris = np.concatenate([each[1] + start for each, start in zip(stacked, counts, strict=False)]).astype(np.int32)
        occlusion = np.ones(len(positions), np.float32)
        occlusion[: counts[1]] = made.body.of(made.openness)
        ground = positions[:, 1].min()

        def world(places: Floats) -> Floats:
            moved = turned(places - [0, ground, 0], np.zeros(3, np.float32), rotation(pose.heading, 0, 0))
            return (moved * METRES + [pose.at[0], 0, pose.at[1]]).astype(np.float32)

        placed = world(positions)
        eyes = [world(bare[eyeball].mean(0)) for eyeball in made.eyes]
        front = made.body.first[: counts[1]]
        face = (mesh.positions[front, 2] > 0.9) & (mesh.positions[front, 1] > 6.1) & (mesh.positions[front, 1] < 8.0)
        return Posed(
            Mesh(
                positions=placed, normals=normals(placed, tris), occlusion=occlusion, triangles=tris,
                uv=np.concatenate([each[2] for each in stacked]),
                material=np.concatenate([each[3] for each in stacked]),
            ),
            Landmarks(*eyes, *(world(bare[vertex]) for vertex in (made.nose, *made.mouth))),
            placed[: counts[1]][face],
        )  # fmt: skip

    def _clothes(self, bare: Floats) -> Floats:
        """The clothes' vertices, off the body and smoothed a little."""
        part = template().clothes
        at = part.of(bare)
        ease = np.zeros(len(at), np.float32)
        for material, off in EASE.items():
            ease[part.triangles[part.material == material]] = off
        near_collar = np.clip((5.75 - part.of(assets().positions)[:, 1]) / 0.8, 0.25, 1)
        return np.asarray(at + normals(at, part.triangles) * (ease * near_collar)[:, None], np.float32)

    def _head(self, pose: Pose) -> tuple[Floats, Floats]:
        """What the head turns about, and how."""
        return assets().joint(self.rest, "neck"), rotation(pose.yaw, pose.pitch, pose.roll)


def _seen_from(pose: Pose, foot: Foot) -> Foot:
    """A foot in the axes of the body in that pose."""
    x, z = foot.at[0] - pose.at[0], foot.at[1] - pose.at[1]
    sin, cos = np.sin(np.radians(pose.heading)), np.cos(np.radians(pose.heading))
    return replace(foot, at=(cos * x - sin * z, sin * x + cos * z), heading=foot.heading - pose.heading)

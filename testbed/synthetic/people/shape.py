"""The shape of a head and body: a weight for each of the asset's targets."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from testbed.synthetic.assets import assets
from testbed.synthetic.people.identity import Identity

FAMILIES = {"A": "african", "B": "asian", "C": "caucasian"}
"""The asset's names of its three sets of heads: names of files, no statement about anybody."""
SPREAD = {
    "nose": 0.36, "mouth": 0.24, "eyes": 0.28, "cheek": 0.36, "chin": 0.34, "head": 0.26, "forehead": 0.26,
    "ears": 0.36, "neck": 0.20,
}  # fmt: skip
"""Standard deviation of a target's weight; 1 is the most the asset's makers meant, above about 0.5 are caricatures."""
OPPOSITES = (("decr", "incr"), ("down", "up"), ("in", "out"), ("backward", "forward"), ("concave", "convex"),
             ("compress", "uncompress"))  # fmt: skip
LEFT_OUT = ("mouth-trans-in", "mouth-trans-out", "nose-trans-in", "nose-trans-out", "measure", "head-angle", "head-age",
            "neck-double", "neck-trans", "head-trans", "nubian", "pointed", "triang", "square", "diamond",
            "rectangular")  # fmt: skip
EMPHASIS = 1.15
"""How far the shape families and sexes are drawn apart, where 1 is the asset's own difference."""
TALL, NARROW = (0.76, 1.10), 0.67
"""Limits of a head's proportions as shares of the base mesh's, see `proportions`."""


class Axis(NamedTuple):
    """A way in which heads differ: the targets applied below and above the middle (none: it goes one way only)."""

    name: str
    spread: float
    below: tuple[str, ...]
    above: tuple[str, ...]


@cache
def axes() -> tuple[Axis, ...]:
    """The axes of the details of a head, left and right alike."""
    names, found = set(assets().targets), dict[tuple[str, ...], Axis]()
    for name in sorted(names):
        part, _, detail = name.partition("/")
        if part not in SPREAD or detail.startswith("r-") or any(word in detail for word in LEFT_OUT):
            continue
        stem, _, end = name.rpartition("-")
        pair = next((pair for pair in OPPOSITES if end in pair), None)
        below, above = ((f"{stem}-{each}",) for each in pair) if pair else ((), (name,))
        spread = SPREAD[part] * (0.55 if "scale" in detail or "trans" in detail else 1)
        found[above] = Axis(above[0], spread, _both_sides(below, names), _both_sides(above, names))
    return tuple(found.values())


def _both_sides(targets: tuple[str, ...], names: set[str]) -> tuple[str, ...]:
    return tuple(
        each for target in targets for each in dict.fromkeys((target, target.replace("/l-", "/r-"))) if each in names
    )


def targets(identity: Identity) -> dict[str, float]:
    """The build (sex, age, shape family, weight) as target weights."""
    who, weights = identity.attributes, dict[str, float]()
    share = dict.fromkeys(FAMILIES, 0.0)
    for name in FAMILIES:
        share[name] = 0.30 * np.exp(1.2 * identity.normal(f"family/{name}"))
    total = sum(share.values())
    share = {name: 0.30 * value / total + 0.70 * (name == who.family) for name, value in share.items()}
    male = float(np.clip((0.10 if who.sex == "female" else 0.90) + 0.07 * identity.normal("masculine"), 0, 1))
    old = (identity.years - 25) / 65  # the asset's `young` is 25 and its `old` 90
    bold = 0.5 + EMPHASIS * (male - 0.5)
    for name, part in share.items():
        for sex, of_sex in (("male", bold), ("female", 1 - bold)):
            for age, of_age in (("old", old), ("young", 1 - old)):
                family = 1 / 3 + EMPHASIS * (part - 1 / 3)
                weights[f"macrodetails/{FAMILIES[name]}-{sex}-{age}"] = family * of_sex * of_age
    muscle, weight = (float(np.clip(0.4 * identity.normal(name), -1, 1)) for name in ("muscle", "weight"))
    for sex, of_sex in (("male", male), ("female", 1 - male)):
        for age, of_age in (("old", old), ("young", 1 - old)):
            for firm, of_muscle in _three("muscle", muscle):
                for heavy, of_weight in _three("weight", weight):
                    name = f"macrodetails/universal-{sex}-{age}-{firm}-{heavy}"
                    if name in assets().targets:
                        weights[name] = of_sex * of_age * of_muscle * of_weight
    return weights


def _three(name: str, value: float) -> tuple[tuple[str, float], ...]:
    return (f"min{name}", max(-value, 0)), (f"average{name}", 1 - abs(value)), (f"max{name}", max(value, 0))


def details(identity: Identity) -> dict[str, float]:
    """What makes this head this person's, as target weights; a face at rest is part of it."""
    weights = dict[str, float]()
    for axis in axes():
        value = float(np.clip(axis.spread * identity.normal(axis.name), -0.9, 0.9))
        if not axis.below:
            value = 0.6 * abs(value)
        for target in axis.above if value > 0 else axis.below:
            weights[target] = abs(value)
    for name in sorted(assets().targets):
        if name.startswith("asym/asym-"):
            weights[name] = max(0.0, 0.14 * identity.normal(name))
    rest = "expression/units/caucasian/"
    narrow = 0.16 + 0.12 * identity.normal("eyes narrow")
    for side in ("left", "right"):
        weights[f"{rest}eye-{side}-slit"] = max(0.0, min(narrow, 0.4))
        weights[f"{rest}eye-{side}-opened-up"] = max(0.0, min(0.3 - narrow, 0.3))
    for name, spread in (("mouth-corner-puller", 0.10), ("mouth-depression", 0.05)):
        weights[rest + name] = abs(spread * identity.normal(name))
    return weights


def shaped(identity: Identity) -> npt.NDArray[np.float32]:
    """The mesh of a person at rest, `(V, 3)` decimetres.

    A head outside the proportions of heads (a cone, a plank) has its details drawn nearer the middle until it is not.
    """
    build, own, share = targets(identity), details(identity), 1.0
    while True:
        positions = assets().deformed(build | {name: share * weight for name, weight in own.items()})
        tall, narrow = proportions(positions)
        if share < 0.1 or (TALL[0] <= tall <= TALL[1] and narrow >= NARROW):
            return positions
        share *= 0.85


def proportions(positions: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The skull's height above the eyes over its width, as a share of the base mesh's, and how it narrows upwards.

    The second is the width at 0.8 of that height over the greatest: a cone has 0.2, a head about 0.7.
    """
    (tall, narrow), (base, _) = _skull(positions), _skull(assets().positions)
    return tall / base, narrow


def _skull(positions: npt.NDArray[np.float32]) -> tuple[float, float]:
    mesh = assets()
    eyes = (mesh.joint(positions, "l-eye") + mesh.joint(positions, "r-eye"))[1] / 2
    head = positions[_above_the_eyes()]
    height = head[:, 1].max() - eyes
    level = (head[:, 1] - eyes) / height
    bands = [np.abs(head[(level > at - 0.07) & (level < at + 0.07), 0]).max() for at in (0.3, 0.45, 0.6, 0.8)]
    return float(height / max(bands)), float(bands[-1] / max(bands))


@cache
def _above_the_eyes() -> npt.NDArray[np.int32]:
    mesh = assets()
    body = mesh.vertices("body")
    eyes = mesh.joint(mesh.positions, "l-eye")[1]
    return np.asarray(body[mesh.positions[body, 1] > eyes + 0.12], np.int32)

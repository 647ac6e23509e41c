"""Who a made-up person is: declared attributes, and a seed from which all else about them is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from math import sqrt
from statistics import NormalDist
from types import MappingProxyType

from pipelines.errors import InputError

AGES = MappingProxyType({"18-29": (18, 30), "30-44": (30, 45), "45-59": (45, 60), "60-79": (60, 80)})
"""Age bands and their years, the last excluded. Nobody is under 18."""
LEVELS: Mapping[str, tuple[str | int | bool, ...]] = MappingProxyType({
    "sex": ("female", "male"), "age": tuple(AGES), "tone": tuple(range(1, 11)), "family": ("A", "B", "C"),
    "hair": ("bald", "shaved", "short", "long", "tied", "afro"),
    "hair_colour": ("black", "brown", "fair", "red", "grey", "white"), "beard": ("none", "stubble", "full"),
    "glasses": (False, True), "headwear": ("none", "cap", "headscarf"), "mask": (False, True),
    "shirt": ("white", "grey", "black", "red", "green", "blue"),
})  # fmt: skip
"""Every attribute that can be declared, and its levels."""


@dataclass(frozen=True)
class Attributes:
    """What is declared of a person. These are parameters of the drawing, measured on nobody; none is a race.

    tone       skin, 1 (lightest) to 10 (darkest), in the order of the Monk scale
    family     which of the asset's three sets of head shapes weighs most; independent of tone

    Raises InputError for a level that does not exist, and for a mix that cannot be drawn.
    """

    sex: str
    age: str
    tone: int
    family: str
    hair: str = "short"
    hair_colour: str = "brown"
    beard: str = "none"
    glasses: bool = False
    headwear: str = "none"
    mask: bool = False
    shirt: str = "grey"

    def __post_init__(self) -> None:
        for each in fields(self):
            checked(each.name, getattr(self, each.name))
        if self.sex == "female" and self.beard != "none":
            raise InputError(f"beard: {self.beard} with sex: female cannot be drawn; declare beard: none, or sex: male")
        if self.headwear == "cap" and self.hair == "afro":
            raise InputError("headwear: cap with hair: afro cannot be drawn; declare other hair, or headwear: none")


def checked(attribute: str, level: object) -> None:
    """Raise InputError where there is no such attribute or level."""
    if attribute not in LEVELS:
        raise InputError(f"{attribute}: people have no such attribute; known: {', '.join(LEVELS)}")
    known = LEVELS[attribute]
    if not any(level == each and type(level) is type(each) for each in known):
        raise InputError(f"{attribute}: {level!r} is not one of {', '.join(map(str, known))}")


@dataclass(frozen=True)
class Identity:
    """A person: everything about them follows from these few values, on any machine.

    Traits are named draws: changing an attribute changes no draw, so a counterfactual differs in nothing else.
    `likeness` mixes each normal draw with that of the same name from the seed `kin`: the correlation of the traits of
    two people of one kin is the product of their likenesses. 0 is a stranger, 1 the same face.
    """

    seed: int
    attributes: Attributes
    kin: int = 0
    likeness: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.likeness <= 1:
            raise InputError(f"likeness: {self.likeness:g} is not between 0 (strangers) and 1 (the same face)")

    @property
    def years(self) -> float:
        """Age in years, somewhere in the declared band."""
        first, last = AGES[self.attributes.age]
        return first + (last - first) * self.uniform("years")

    def normal(self, name: str) -> float:
        """The standard normal draw of that name."""
        own = _normal(self.seed, name)
        return self.likeness * _normal(self.kin, "kin/" + name) + sqrt(1 - self.likeness**2) * own

    def uniform(self, name: str) -> float:
        """The draw of that name, as a share between 0 and 1."""
        return NormalDist().cdf(self.normal(name))

    def choice(self, name: str, weights: Sequence[float]) -> int:
        """Which of as many things as there are weights."""
        place = self.uniform(name) * sum(weights)
        for row, weight in enumerate(weights):
            place -= weight
            if place < 0:
                return row
        return len(weights) - 1

    def stream(self, name: str) -> int:
        """A seed for a whole array of noise, such as the grain of the skin."""
        return numbered(self.seed if self.likeness < 1 else self.kin, name)

    def changed(self, **attributes: str | int | bool) -> Identity:
        """The same person with other attributes. Raises InputError like Attributes."""
        for name, level in attributes.items():
            checked(name, level)
        return replace(self, attributes=replace(self.attributes, **attributes))  # type: ignore[arg-type]


def numbered(seed: int, name: str) -> int:
    """A seed of its own, below 2⁵⁶, for a name under a seed."""
    return int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=7).digest())


def _normal(seed: int, name: str) -> float:
    return NormalDist().inv_cdf((numbered(seed, name) + 0.5) / 256**7)

"""Populations: so many people of each kind, families who look alike, and one person with one thing changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from math import sqrt

from pipelines.errors import InputError
from testbed.synthetic.people.identity import LEVELS, Attributes, Identity, checked, numbered

Declared = Mapping[str, str | int | bool]

MOST = 100_000
TWINS, SIBLINGS = 0.95, 0.5
"""How far the traits of twins and of siblings correlate."""
USUAL = {
    "beard": (6, 2, 2), "glasses": (3, 1), "headwear": (12, 1, 1), "mask": (1, 0),
    "hair_colour": (5, 4, 1.5, 0.7, 0, 0),
}  # fmt: skip
"""How often a level that nobody declared is drawn. What is not here is drawn evenly, each attribute by itself, so
that none stands in for another."""
HAIR = {"female": (0, 0.5, 3, 4, 3, 1.5), "male": (1.5, 3, 6, 0.4, 0.2, 1)}
GREY = {"18-29": 0.0, "30-44": 0.05, "45-59": 0.35, "60-79": 0.8}


def population(rows: Iterable[tuple[Declared, int]], seed: int) -> tuple[Identity, ...]:
    """People in the order of the rows: what is declared of them, and how many; the rest of each is drawn.

    Raises InputError for levels that do not exist, mixes that cannot be drawn, and nobody or too many.
    """
    wanted = list(rows)
    for _, count in wanted:
        if count < 0:
            raise InputError(f"a population cannot have {count} people of a kind; give 0 or more")
    total = sum(count for _, count in wanted)
    if not 0 < total <= MOST:
        raise InputError(f"a population of {total:,} people cannot be made; ask for 1 to {MOST:,}")
    each = (declared for declared, count in wanted for _ in range(count))
    return tuple(_person(declared, numbered(seed, f"person/{row}")) for row, declared in enumerate(each))


def crossing(levels: Mapping[str, Sequence[str | int | bool]], each: int, **declared: str | int | bool) -> list[
    tuple[Declared, int]
]:  # fmt: skip
    """Rows for `population`: `each` people of every crossing of some attributes' levels."""
    return [(declared | dict(zip(levels, cell, strict=True)), each) for cell in product(*levels.values())]


def family(seed: int, members: int, alike: float, attributes: Attributes) -> tuple[Identity, ...]:
    """People of one family, all with the same attributes: `alike` is the correlation of their traits, 0 to 1.

    TWINS and SIBLINGS are such numbers. Raises InputError for one outside 0 to 1.
    """
    if not 0 <= alike <= 1:
        raise InputError(f"alike: {alike:g} is not between 0 (strangers) and 1 (the same face)")
    kin = numbered(seed, "family")
    return tuple(Identity(numbered(seed, f"member/{row}"), attributes, kin, sqrt(alike)) for row in range(members))


def counterfactuals(
    identity: Identity, attribute: str, levels: Sequence[str | int | bool] = ()
) -> tuple[Identity, ...]:
    """One person at each level of one attribute (all of them, where none are named), all else the same."""
    checked(attribute, next(iter(levels), LEVELS.get(attribute, (None,))[0]))
    return tuple(identity.changed(**{attribute: level}) for level in levels or LEVELS[attribute])


def another_day(identity: Identity, day: int, declared: Collection[str] = ()) -> Identity:
    """The same person as they come on a later day (from 2; on the first they are as they are).

    Drawn anew: the shirt; whether there is a cap; whether long hair is tied. What is `declared` stays, and so does all
    else: who wears a headscarf wears one every day, and glasses, beard and hair colour are taken to be a person's own.
    """
    if day == 1:
        return identity
    worn, hair, today = identity.attributes, ("long", "tied"), dict[str, str]()
    if "shirt" not in declared:
        shirts = LEVELS["shirt"]
        today["shirt"] = str(shirts[identity.choice(f"day-{day}/shirt", [1] * len(shirts))])
    if "headwear" not in declared and worn.headwear != "headscarf" and worn.hair != "afro":
        today["headwear"] = ("none", "cap")[identity.choice(f"day-{day}/cap", USUAL["headwear"][:2])]
    if "hair" not in declared and worn.hair in hair:
        today["hair"] = hair[identity.choice(f"day-{day}/hair", [1, 1])]
    return identity.changed(**today)


def _person(declared: Declared, seed: int) -> Identity:
    for attribute, level in declared.items():
        checked(attribute, level)
    draw = Identity(seed, Attributes("female", "18-29", 1, "A"))
    drawn: dict[str, str | int | bool] = dict(declared)
    for attribute, levels in LEVELS.items():
        if attribute in declared:
            continue
        weights = list(USUAL.get(attribute, (1,) * len(levels)))
        match attribute:
            case "sex" if declared.get("beard", "none") != "none":
                weights = [0, 1]
            case "hair":
                weights = list(HAIR[str(drawn["sex"])])
                if declared.get("headwear") == "cap":
                    weights[levels.index("afro")] = 0
            case "hair_colour":
                grey = GREY[str(drawn["age"])]
                weights = [weight * (1 - grey) for weight in weights[:4]] + [7 * grey, 4 * grey]
                if int(drawn["tone"]) >= 5:
                    weights[2] = weights[3] = 0
            case "beard" if drawn["sex"] == "female":
                weights = [1, 0, 0]
            case "headwear":
                weights = [weights[0], weights[1] * (drawn["hair"] != "afro"), weights[2] * (drawn["sex"] == "female")]
        drawn[attribute] = levels[draw.choice(f"attribute/{attribute}", weights)]
    return Identity(seed, Attributes(**drawn))  # type: ignore[arg-type]

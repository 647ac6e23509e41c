"""Whether a run can be asked what its claims ask: systems, conditions, operating points and groups that it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.evidence.claims.claim import Claim
from testbed.evidence.rates import CellData
from testbed.matching.people import Group, People
from testbed.scenario.problems import Loc, suggestion


@dataclass(frozen=True)
class Asked:
    """A cell before any of its figures is made; `condition` holds its name."""

    system: str
    condition: dict[str, Any]
    operating_points: tuple[str, ...]
    people: People


Askable = Asked | CellData


def misfits(claims: Sequence[Claim], cells: Sequence[Askable]) -> Iterator[tuple[Loc, str]]:
    """Everything that claims ask of a run and it does not have: place in the claims file, sentence."""
    for i, claim in enumerate(claims):
        for loc, said in _misfits(claim, cells):
            yield ("claims", i, *loc), said


def condition_of(claim: Claim, cells: Sequence[Askable]) -> str:
    """The name of the condition a claim is made for; `clean` where neither it nor the run leaves no choice."""
    names = {cell.condition["name"] for cell in cells}
    return claim.condition or (names.pop() if len(names) == 1 else "clean")


def groups_of(claim: Claim, people: People) -> list[Group]:
    """The groups a claim speaks of, those that are there; of equal error, those compared."""
    known = {group.name: group for group in people.within()}
    if isinstance(claim.groups, list):
        return [known[name] for name in claim.groups if name in known]
    if claim.within_factor is not None and claim.across is not None:
        return attributes_of(people).get(claim.across, [])
    if claim.groups == "each":
        return people.crossed() or ([] if claim.within_factor is not None else [people.everyone()])
    return [people.everyone()]


def attributes_of(people: People) -> dict[str, list[Group]]:
    """The groups of each attribute, be it the only one."""
    only = people.attributes if len(people.attributes) == 1 else ()
    return {**people.single(), **{name: people.crossed() for name in only}}


def _misfits(claim: Claim, cells: Sequence[Askable]) -> Iterator[tuple[Loc, str]]:
    systems, conditions = (dict.fromkeys(names) for names in (
        (cell.system for cell in cells), (cell.condition["name"] for cell in cells)))  # fmt: skip
    condition, people = condition_of(claim, cells), cells[0].people
    if claim.system is not None and claim.system not in systems:
        yield ("system",), f"the run has no system {claim.system!r}; {suggestion(claim.system, systems)}"
    if condition not in conditions and claim.condition is None:
        yield (), f"the run has several conditions, and none is called clean; add `condition: {next(iter(conditions))}`"
    elif condition not in conditions:
        yield ("condition",), f"the run has no condition {condition!r}; {suggestion(condition, conditions)}"
    points = list(dict.fromkeys(point for cell in cells for point in cell.operating_points))
    if claim.metric not in ("calibration", "fps") and claim.operating_point not in points:
        wanted = claim.operating_point
        yield ("operating_point",), f"the run was not evaluated at {wanted!r}; {suggestion(wanted, points)}"
    if claim.across is not None and claim.across not in (known := attributes_of(people)):
        yield ("across",), f"there is no attribute {claim.across!r}; {suggestion(claim.across, known)}"
    if isinstance(claim.groups, list):
        names = [group.name for group in people.within()]
        for j, name in enumerate(claim.groups):
            if name not in names:
                yield ("groups", j), f"there is no group {name!r}; {suggestion(name, names)}"
    members = [member for group in groups_of(claim, people) for member in group.members]
    if claim.within_factor is not None and len(members) != len(set(members)):
        yield ("groups",), "these groups share people; compare groups that do not"

"""What was found, in words: each sentence is made from figures of evidence.json and carries their numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from reports import alerts, contrasts, enhanced, heads, linkage, lookups, reviewers
from reports.claims import VERDICTS, by_system
from reports.reading import EVERYBODY, MAIN, SAME_GROUP, Contents, Figure
from reports.synthetic import said_of_made_up
from reports.truth import guesses, identity_check, label_check
from reports.wording import (
    at_point,
    capital,
    columns,
    count,
    listed,
    one_in,
    people,
    percent,
    plain,
    quoted,
    score,
    times,
    under,
)
from reports.wording import too_few as too_few_people
from testbed.evidence.provenance import TRAINING
from testbed.matching.attempts import misplaced
from testbed.matching.people import PASSER_BY
from testbed.scenario.cells import Cell
from testbed.scenario.models import NobodyEnrolled, TruthFile, Video

UNIT = (
    "Rates count comparisons, but people are the evidence: each bracketed range is a 95 % interval that treats one "
    "person as one piece of evidence, however often that person was compared, so that the true rate for people like "
    "these is expected inside it in 95 of 100 such experiments."
)
UNKNOWN_PEOPLE = (
    "It is not known who is who in this log: intervals assume comparisons independent of one another and are too "
    "narrow, and no claim can be supported."
)
NO_FAILURES = (
    "How often a face was never found, or a photograph not enrolled, is not known from this log: it lists no failures. "
    "Nor, therefore, is how often the right person is missed in all."
)

SUFFERED = {"FMR": "are falsely matched", "FNMR": "are not recognised", "FTA": "are overlooked"}
"""What happens to people when a rate counts an error, in a sentence."""

FLAGS = {
    "retracted": "Retracted by its makers, who ask that nobody use it",
    "withdrawn": "Withdrawn by its makers",
    "no consent": "Made of pictures of people who were not asked",
}
"""What is said of data that carry a flag, gravest first."""
TRAINED_ON = {
    "retracted": "pictures that their makers retracted, asking that nobody use them",
    "withdrawn": "pictures that their makers withdrew",
    "no consent": "pictures of people who were not asked",
}
"""The same of what a system was trained on."""

ELSEWHERE = 5
"""So many sentences at most are said on the first screen of conditions other than the reference."""


@dataclass(frozen=True)
class Finding:
    """One thing found: a short heading and its sentences. `weight` is what it is: "strong", "open" or "unknown"."""

    heading: str
    sentences: tuple[str, ...]
    weight: str = "strong"


def headlines(contents: Contents) -> list[tuple[str, list[str]]]:
    """What the first screen says, by system; systems of which the very same is to be said stand together."""
    by_words: dict[tuple[str, ...], list[str]] = {}
    for system in contents.systems:
        said = headline(contents, system)
        by_words.setdefault(tuple(said_of_made_up(said) if contents.synthetic else said), []).append(system)
    return [(listed(systems), [*said]) for said, systems in by_words.items()]


def headline(contents: Contents, system: str) -> list[str]:
    """One system in two or three sentences, under the reference condition at the main operating point."""
    cell = contents.reference_cell(system)
    if nothing := unmeasured(contents, system):
        return [nothing]
    rows = [row for row in contents.contrasts if row["system"] == system]
    if rows:
        return [*contrasts.headline(rows, contents.main_point), *_searched(contents, cell)]
    found = contents.main_point.startswith("fmr=") and not contents.synthetic and not heads.alone(contents)
    unsaid = ["At which threshold it is used was not said."] if found else []
    # In a film of days the false matches that count are links of two people: they are told with the links.
    strangers = [] if contents.linked_in(cell) else _strangers(contents, cell)[:1]
    completed = enhanced.found(contents, cell)[:1]
    # What plain enlargement does stands beside what a prior does.
    said = [] if completed else [*strangers, *_passers_by(contents, cell), *_searched(contents, cell)]
    said += heads.headline(contents, cell) + linkage.headline(contents, cell)
    said += reviewers.headline(contents, cell)
    said += completed
    shown = _shown(contents, cell)
    if shown:
        said.append(capital(_at_least(contents, cell, max(shown, key=lambda d: d["low"]))))
    elif any(d["verdict"] == "not shown" for kind in contents.kinds() for d in contents.compared(cell, kind).values()):
        said.append("For no group was a higher rate shown; with these numbers of people that settles nothing.")
    compared = any(
        f["cell"] == cell.id and f["metric"] in ("FMR", "EER") and f["comparisons"] for f in contents.figures
    )
    if not said and compared:
        said = [f"Nothing could be counted {at_point(contents.main_point)}: see the tables."]
    return [*unsaid, *said] if said else ["Nothing was compared: no figure on matches can be given."]


def unit(contents: Contents) -> str:
    """What the brackets are and rest on; "" where nobody is known."""
    if seen := heads.alone(contents):
        return f"Each bracketed range is a 95 % interval. It rests on {heads.rests_on(seen[0])}."
    return UNIT if contents.said("subjects") else ""


def unmeasured(contents: Contents, system: str) -> str:
    """That nothing was measured of a system under the reference condition, and why; "" where something was."""
    attempts = contents.attempts.filter(pl.col("cell") == contents.reference_cell(system).id)
    beside = misplaced(attempts)
    return f"Nothing was measured: {beside}." if beside else ""


def same_throughout(contents: Contents) -> list[str]:
    """Which systems give the same figures throughout, and whether they use the same models."""
    said = []
    for systems in (each for each in contents.alike if len(each) > 1):
        models = [sorted(contents.manifest["systems"][system].get("models", {}).values()) for system in systems]
        why = " (same model files)" if models[0] and all(each == models[0] for each in models) else ""
        said.append(f"{listed(systems)} give the same figures throughout{why}.")
    return said


def labels_checked(contents: Contents) -> list[str]:
    """What remains if labels are wrong as often as somebody stated, under the reference condition."""
    rows = [
        row
        for row in contents.label_sensitivity
        if row["operating_point"] in (contents.main_point, None)
        and row["condition"]["name"] == contents.reference_condition
    ]
    return [*guesses(contents.labels, rows), *label_check(rows)]


def flagged(contents: Contents) -> list[str]:
    """Data that were withdrawn, or gathered without asking those pictured: of the test's own pictures, and of systems.

    A sentence for each kind of flag; what systems were trained on is said of them, not of the test.
    """
    said = []
    for flag, words in FLAGS.items():
        sets: dict[str, list[str]] = {}
        trained: dict[str, list[str]] = {}
        for row in contents.provenance:
            if row["flag"] == flag:
                alone = {"name alone": "by its name alone", "perhaps": "by names of files alone"}.get(row["sure"], "")
                if row["what"].startswith(TRAINING):
                    name = f"{row['name']} ({alone})" if alone else row["name"]
                    trained.setdefault(row["what"].removeprefix(TRAINING), []).append(name)
                else:
                    name = f"perhaps {row['name']}" if row["sure"] == "perhaps" else row["name"]
                    sets.setdefault(name, []).append(", ".join(filter(None, (row["what"], alone))))
        if sets:
            said.append(f"{words}: {listed(f'{name} ({listed(used)})' for name, used in sets.items())}.")
        together: dict[tuple[str, ...], list[str]] = {}
        for system, names in trained.items():
            together.setdefault(tuple(names), []).append(system)
        said += [f"{listed(systems)} {'was' if len(systems) == 1 else 'were'} trained on {TRAINED_ON[flag]}: "
                 f"{listed(names)}." for names, systems in together.items()]  # fmt: skip
    return said


def checks(contents: Contents) -> list[str]:
    """What was found where somebody stated how often labels are wrong, or looked whether truth is."""
    return labels_checked(contents) + ([identity_check(contents.corrections)] if contents.corrections else [])


def findings(contents: Contents, system: str) -> list[Finding]:
    """Everything the first screen says of one system, insufficient groups by name included."""
    cell = contents.reference_cell(system)
    nothing = unmeasured(contents, system)
    searches = "At the gate" if contents.alerts else "Look-ups" if contents.lookup else "Searches of a gallery"
    found = [
        Finding("Strangers taken for the person", (*_strangers(contents, cell), *_passers_by(contents, cell))),
        Finding("Nothing measured", (nothing,) if nothing else (), "unknown"),
        Finding(searches, tuple(() if nothing else _searched(contents, cell))),
        Finding("Who is found at all", tuple(heads.found(contents, cell))),
        Finding("Day after day", tuple(linkage.found(contents, cell))),
        Finding("Once people have looked", tuple(reviewers.found(contents, cell))),
        Finding("The same few pixels, many faces", tuple(enhanced.found(contents, cell))),
        Finding("Falsely matched more", tuple(_higher(contents, cell))),
        Finding("A higher rate is not shown", tuple(_not_shown(contents, cell)), "open"),
        Finding("Too few people to say", tuple(_too_few(contents, cell)), "unknown"),
        Finding("The person missed", tuple(_missed(contents, cell))),
        Finding("Faces never found", tuple(_never_found(contents, system, cell))),
        Finding("Under other conditions", tuple(_elsewhere(contents, system, cell))),
    ]  # fmt: skip
    if contents.synthetic:
        found = [replace(each, sentences=tuple(said_of_made_up([*each.sentences]))) for each in found]
    return [finding for finding in found if finding.sentences]


def claimed(contents: Contents) -> list[str]:
    """Every claim with its verdicts in short: “99 % accurate”: refuted in 3 of 5 statements, not settled in 2."""
    told = []
    for says in dict.fromkeys(row["says"] for row in contents.claims):
        by_verdicts: dict[str, list[str]] = {}
        for systems, rows in by_system([row for row in contents.claims if row["says"] == says]):
            by_verdicts.setdefault(_verdicts(rows), []).extend(systems)
        each = [verdicts + (f" ({listed(systems)})" if set(systems) != set(contents.systems) else "")
                for verdicts, systems in by_verdicts.items()]  # fmt: skip
        told.append(f"“{says}”: {'; '.join(each)}.")
    return told


def _verdicts(rows: list[Figure]) -> str:
    given = [row["verdict"] for row in rows]
    first, *more = [f"{each} in {given.count(each)}" for each in VERDICTS if each in given]
    return ", ".join([f"{first} of {len(given)} statements", *more]) if more else given[0]


def too_small(contents: Contents) -> str:
    """The groups, by name and size, that are too small to say anything of under the reference condition; or ""."""
    cells = [contents.reference_cell(system) for system in contents.systems]
    named = dict.fromkeys(name for cell in cells for kind in contents.kinds() for name in _small(contents, cell, kind))
    return f"Too few people to say anything of: {listed(named)}." if named else ""


def same_group(contents: Contents) -> str:
    """What "same group" means in this run; "" where nothing is said of it."""
    named = any(row["reference_group"] == SAME_GROUP for row in (*contents.figures, *contents.claims))
    attributes = contents.people.attributes if named else ()
    return f"“Same group” means: with the same label in {listed(map(columns, attributes))}." if attributes else ""


def of_the_log(contents: Contents) -> list[str]:
    """What must be known of a score log before any figure made of it is read; nothing of other runs."""
    said = [] if contents.said("subjects") else [UNKNOWN_PEOPLE]
    for cell in contents.cells if "log" in contents.manifest else ():
        about = contents.manifest["systems"][cell.system.label]
        (low, high), threshold = about["score_range"], about["threshold"]
        if threshold is not None and not low <= threshold <= high:
            everything = (threshold > high) == (about["direction"] == "distance")
            said.append(
                f"The threshold of {score(threshold)} lies outside the scores of this log, {score(low)} to "
                f"{score(high)}: {'everything' if everything else 'nothing'} matches there."
            )
    return said if contents.said("failures") else [*said, NO_FAILURES]


def may_be_concluded(contents: Contents) -> list[str]:
    """What the kind of input allows to be said; empty for photographs of known people."""
    probes = contents.scenario.probes
    if not isinstance(probes, Video):
        return []
    empty = [camera.name for camera in probes.cameras if isinstance(camera.truth, NobodyEnrolled)]
    unknown = [camera.name for camera in probes.cameras if camera.truth is None]
    truths = [(camera.name, camera.truth) for camera in probes.cameras if isinstance(camera.truth, TruthFile)]
    unnamed = [name for name, truth in truths if not truth.names_people]
    said = []
    if empty:
        said.append(
            f"On {listed(empty)} nobody enrolled appears, as declared in the scenario: every match there is false by "
            "construction. Such clips show false matches; they cannot show misses, and the group of whoever passes is "
            "not known, so nothing can be said about groups of passers-by."
        )
    if unnamed:
        said.append(
            f"On {listed(unnamed)} annotators marked where heads are, and nobody knows whose: it can be said which of "
            "them are found, and neither whether a match is right nor anything about groups of people."
        )
    if unknown:
        said.append(
            f"Nothing is known about who appears on {listed(unknown)}: faces were counted there, "
            "and nothing else is said."
        )
    return said


def _strangers(contents: Contents, cell: Cell) -> list[str]:
    same = contents.figure("FMR", cell, EVERYBODY, SAME_GROUP)
    everybody = contents.figure("FMR", cell, EVERYBODY, EVERYBODY)
    said: list[str] = []
    for figure, who in ((same, "stranger of the same group"), (everybody, "stranger")):
        if figure is None or figure["value"] is None:
            continue
        where = f"{_at(contents, figure)}, {under(cell.condition_name)}"
        if said:
            said.append(f"Over all pairs of strangers, of whatever group: {quoted(figure)}.")
        elif figure["verdict"] == "insufficient":
            few = (f"{count(figure['comparisons'], 'comparisons')} could be made" if figure["subjects"] is None
                   else f"{count(figure['subjects'], 'people')} could be compared")  # fmt: skip
            said.append(f"Only {few}, too few to say how often a {who} is taken for the person {where}; counted were "
                        f"{quoted(figure)}.")  # fmt: skip
        elif figure["errors"] == 0:
            said.append(f"No {who} was taken for the person {where}: {quoted(figure)}; "
                        f"the true rate may still be as high as {percent(figure['high'])}.")  # fmt: skip
        else:
            said.append(f"A {who} was taken for the person in {one_in(figure['value'])} comparisons {where}: "
                        f"{quoted(figure)}.")  # fmt: skip
    return said


def _searched(contents: Contents, cell: Cell) -> list[str]:
    """What the run's kind of search is about: stops at a gate, strangers shown by a look-up, else FPIR and FNIR."""
    point = contents.searched_point(cell)
    at_gate = [row for row in contents.alerted(cell) if row["operating_point"] in (contents.main_point, point)]
    if at_gate:
        return [sentence for row in at_gate for sentence in alerts.in_words(row)]
    looks = [look for look in contents.lookup if look["cell"] == cell.id]
    return [sentence for look in looks for sentence in _looked_up(look, point)] if looks else _searches(contents, cell)


def _looked_up(look: Figure, point: str) -> list[str]:
    """How often a look-up of somebody who was not there shows a stranger as a match, and how alike the middle one."""
    row = lookups.at_level(look, point)
    if row is None or row["absent"]["value"] is None:
        return [f"How often a look-up shows a stranger {at_point(point)} cannot be told."]
    called = quoted({**row["absent"], "metric": "FPIR"})
    return [
        f"{capital(at_point(point, score(row['threshold'])))}, of searches for somebody who was not there, among "
        f"{count(look['people'], 'people')} who passed, {called} have a stranger on top who is called a match.",
        lookups.typical(look),
    ]


def _searches(contents: Contents, cell: Cell) -> list[str]:
    """Strangers returned and people not found, in the largest gallery that was searched."""
    said, known, point = [], contents.said("enrolled"), contents.searched_point(cell)
    for size in contents.gallery_sizes(cell)[-1:]:
        unsaid = contents.figure("FPIR", cell, gallery=size)
        if unsaid is not None and unsaid["value"] is None:
            said.append(f"{capital(at_point(contents.main_point))}, searches cannot be told: {unsaid['method']}.")
        alert = contents.figure("FPIR", cell, point=point, gallery=size)
        if alert is not None and alert["value"] is not None:
            who = "who are not in" if known else "who are in no list, and so taken not to be in"
            said.append(
                f"{capital(at_point(point, score(alert['threshold'])))}, of searches for people {who} the gallery of "
                f"{count(size, 'people')}, {quoted(alert)} return somebody."
            )
        for rank in contents.ranks(cell, size, point)[:1]:
            missed = contents.figure("FNIR", cell, point=point, gallery=size, rank=rank)
            if missed is not None and missed["value"] is not None:
                who = "who are in it" if known else "who are in some list, and so taken to be in it"
                said.append(f"Of searches for people {who}, {quoted(missed)} do not return them first "
                            f"{at_point(point, score(missed['threshold']))}.")  # fmt: skip
        lists_alone = (
            "log" in contents.manifest or contents.manifest["systems"][cell.system.label].get("answers") == "searches"
        )
        if lists_alone and cell.id not in {f["cell"] for f in contents.figures if f["metric"] == "FMR"}:
            said.append("How often two people are taken for one cannot be known from lists of the best candidates.")
    return said


def _passers_by(contents: Contents, cell: Cell) -> list[str]:
    figure = contents.figure("FMR", cell, PASSER_BY, EVERYBODY)
    if figure is None:
        return []
    if figure["value"] is None:
        return ["In clips that show nobody enrolled, no face was found that could be compared."]
    start = (
        "In clips that show nobody enrolled, a face was called a match with an enrolled photograph in "
        f"{quoted(figure)} {_at(contents, figure)}, every one of them falsely"
    )
    if figure["verdict"] == "insufficient":
        return [f"{start}; with so few people this says nothing about other passers-by."]
    return [f"{start}."]


def _at(contents: Contents, figure: Figure) -> str:
    return at_point(contents.main_point, score(figure["threshold"]))


def _at_least(contents: Contents, cell: Cell, shown: Figure, rate: str = "FMR") -> str:
    group, base = shown["group"], shown["reference"]
    mine, theirs = (
        contents.figure(rate, cell, name, name if rate == "FMR" else None, shown["operating_point"])
        for name in (group, base)
    )
    assert mine, "a differential is made of two figures"
    assert theirs, "a differential is made of two figures"
    return (
        f"{people(group)} {SUFFERED[rate]} at least {times(shown['low'])} times as often as those labelled "
        f"{plain(base)}: {quoted(mine)} against {quoted(theirs)}."
    )


def _higher(contents: Contents, cell: Cell) -> list[str]:
    return [capital(_at_least(contents, cell, d)) for d in sorted(_shown(contents, cell), key=lambda d: -d["low"])]


def _elsewhere(contents: Contents, system: str, here: Cell) -> list[str]:
    """Higher rates that are shown under another condition and are not said above: the strongest, in their order."""
    worst = worst_acquisition(contents, system)
    shown = []
    for metric, point in (("FMR", MAIN), ("FTA", None)):
        said = [here] if metric == "FMR" or worst is None else [here, contents.cell(system, worst["condition"]["name"])]
        known = {d["group"] for cell in said for d in _shown(contents, cell, metric, point)}
        others = (cell for cell in contents.cells if cell.system.label == system and cell.id != here.id)
        shown += [
            (d["low"], f"{capital(under(cell.condition_name))}, {_at_least(contents, cell, d, metric)}")
            for cell in others for d in _shown(contents, cell, metric, point) if d["group"] not in known
        ]  # fmt: skip
    strongest = sorted(shown, key=lambda each: -each[0])[:ELSEWHERE]
    told = [each[1] for each in shown if each in strongest]  # in the scenario's order
    return told + ([f"… and {len(shown) - len(told)} more in the tables."] if len(shown) > len(told) else [])


def _shown(contents: Contents, cell: Cell, metric: str = "FMR", point: str | None = MAIN) -> list[Figure]:
    """Differentials of a cell with the verdict "higher", of every kind of group."""
    compared = (contents.compared(cell, kind, metric, point) for kind in contents.kinds())
    return [d for kind in compared for d in kind.values() if d["verdict"] == "higher"]


def _not_shown(contents: Contents, cell: Cell) -> list[str]:
    said = []
    for kind in contents.kinds():
        compared = contents.compared(cell, kind)
        names = [plain(d["group"]) for d in compared.values() if d["verdict"] == "not shown"]
        base = next((d["group"] for d in compared.values() if d["verdict"] == "reference"), None)
        if names and base is not None:
            said.append(
                f"By {columns(kind)}, a higher rate than that of {people(base)} is not shown for {listed(names)}: too "
                "little evidence either way, which is not evidence that they are treated alike."
            )
    return said


def _too_few(contents: Contents, cell: Cell) -> list[str]:
    by_kind = {kind: _small(contents, cell, kind) for kind in contents.kinds()}
    said = [f"By {columns(kind)}: {listed(names)}." for kind, names in by_kind.items() if names]
    return [*said, "Their rates are printed in grey and are not ranked."] if said else []


def _small(contents: Contents, cell: Cell, kind: str) -> list[str]:
    """Groups of a kind that are too small, each with its number of people; none where nothing was compared at all."""
    everybody = contents.figure("FMR", cell, EVERYBODY, EVERYBODY)
    if everybody is None or not everybody["comparisons"]:
        return []
    compared = contents.compared(cell, kind)
    groups = [g for g in contents.kinds()[kind] if compared.get(g.name, {}).get("verdict") == "insufficient"]
    return [f"{plain(group.name)} ({count(contents.size(group))})" for group in groups]


def _missed(contents: Contents, cell: Cell) -> list[str]:
    figure = contents.figure("FNMR", cell)
    if figure is None or figure["value"] is None:
        return []
    said = [f"A person whose face was found was not recognised in {quoted(figure)}."]
    if figure["verdict"] == "insufficient":
        said.append(f"{capital(too_few_people(figure['subjects']))}.")
    return [*said, *(capital(_at_least(contents, cell, d, "FNMR")) for d in _shown(contents, cell, "FNMR"))]


def _never_found(contents: Contents, system: str, cell: Cell) -> list[str]:
    here = contents.figure("FTA", cell, point=None)
    if here is None or here["value"] is None:
        return []
    said = [f"{capital(under(cell.condition_name))}, no usable face was found in {quoted(here)}."]
    worst = worst_acquisition(contents, system)
    if worst is not None and worst["cell"] != cell.id and worst["value"] > here["value"]:
        said.append(
            f"It was worst {under(worst['condition']['name'])}: {quoted(worst)}. A face that is never found cannot "
            "be a false match, so rates of false matches speak of the faces that were found."
        )
        said += _acquired_by_group(contents, system, worst["condition"]["name"])
    elif len(contents.conditions) > 1:
        said.append("It was no worse under any other condition tested here.")
    return said


def _acquired_by_group(contents: Contents, system: str, condition_name: str) -> list[str]:
    """For each kind of group, who is found less often, where that is shown; else the two ends, counted."""
    cell, said = contents.cell(system, condition_name), []
    for kind, groups in contents.kinds().items():
        higher = [d for d in contents.compared(cell, kind, "FTA", None).values() if d["verdict"] == "higher"]
        figures = [contents.figure("FTA", cell, group.name, point=None) for group in groups]
        measured = [f for f in figures if f is not None and f["verdict"] == "measured" and f["value"] is not None]
        if higher:
            said += [capital(_at_least(contents, cell, d, "FTA")) for d in higher]
        elif len(measured) > 1 and not contents.synthetic:
            # Of groups with the same rate, the one that more people speak for.
            least = min(measured, key=lambda f: (f["value"], f["high"]))
            most = max(measured, key=lambda f: (f["value"], f["low"]))
            said.append(
                f"By {columns(kind)}, a higher rate is not shown for any group; counted were {quoted(most)} for "
                f"{plain(most['probe_group'])} and {quoted(least)} for {plain(least['probe_group'])}."
            )
    return said


def worst_acquisition(contents: Contents, system: str) -> Figure | None:
    """The highest failure-to-acquire rate of everybody over a system's conditions, None where none was measured."""
    all_figures = (contents.figure("FTA", cell, point=None) for cell in contents.cells if cell.system.label == system)
    measured = [f for f in all_figures if f is not None and f["value"] is not None and f["verdict"] == "measured"]
    return max(measured, key=lambda f: f["value"], default=None)


def worst_group(contents: Contents, cell: Cell) -> Figure | None:
    """The highest within-group FMR among groups with people enough, None where there is none."""
    names = [group.name for groups in contents.kinds().values() for group in groups]
    figures = (contents.figure("FMR", cell, name, name) for name in names)
    measured = [f for f in figures if f is not None and f["value"] is not None and f["verdict"] == "measured"]
    return max(measured, key=lambda f: (f["value"], f["high"]), default=None)

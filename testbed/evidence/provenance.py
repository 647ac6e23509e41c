"""Where pictures come from: well-known sets, recognised by names alone, and what is known of each.

The table is `known_sets.yaml`. Pictures are never opened, and no name of a file is kept. METRICS.md § Provenance.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice, takewhile
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import polars as pl
import yaml
from pydantic import Field, TypeAdapter

from pipelines.errors import InputError
from testbed.evidence.claims.judging import is_synthetic
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import PHOTOGRAPHS, REFERENCES, Table
from testbed.scenario.documents import read
from testbed.scenario.models import Log, Scenario, Stills, TruthFile, Video
from testbed.scenario.problems import suggestion
from testbed.scenario.strict import Strict
from testbed.scenario.synthetic import Synthetic
from testbed.sources.collection import MANIFEST

MOST_NAMES = 200_000
"""So many names of a folder are looked at; what lies beyond is not."""
FEWEST = 3
"""So many pictures at least must be named alike before their names say anything."""
PICTURES = (".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".bmp", ".webp", ".bz2")
TRAINING = "training data of "
"""Stands before a system in column `what`."""
NO_CLEAN_BILL = "not recognised: not in the table of well-known sets, which is no clean bill"
NOBODY = "people who do not exist: drawn by a program, so there was nobody to ask"
UNSTATED = "not stated"
UNSAID = "not stated: a score log does not say which pictures it was made from"

CONSENT = {
    "yes": "Those pictured consented", "no": "Those pictured were not asked",
    "unknown": "Whether those pictured were asked is not known",
}  # fmt: skip

Sure = Literal["name and structure", "manifest", "perhaps", "name alone", "as declared"]
HOW_SURE: dict[Sure, str] = {
    "name and structure": "by its name and by the names of its files",
    "manifest": "by what its manifest says",
    "perhaps": "perhaps, by the names of its files alone, which others may use too; no folder bears its name",
    "name alone": "by the name of a folder alone; nothing else points to it",
    "as declared": "named in what the system says of itself",
}
"""In this order, surest first."""


class Look(Strict):
    """How names of a set look: half of all its `pictures`, or one path that it `holds`; `like`: an example."""

    pictures: str = ""
    holds: str = ""
    like: str
    alone: bool = False

    def found(self, paths: str, pictures: str, count: int) -> str | None:
        """The first of paths, one a line, that looks so; None where too few do; `count` of them are pictures."""
        if self.holds:
            first = re.search(self.holds, paths, re.MULTILINE)
            return first and first[0].strip("/")
        named = [match[0] for match in re.finditer(self.pictures, pictures, re.MULTILINE)]
        return named[0].strip("/") if len(named) >= FEWEST and 2 * len(named) >= count else None


class KnownSet(Strict):
    """One row of the table; an empty text is what no source says."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    name: str
    names: list[str] = Field(min_length=1)
    year: int = Field(ge=1990, le=2026)
    publisher: str
    people: str = ""
    images: str = ""
    gathered: Literal["volunteers", "web", "filmed", "unknown"]
    consent: Literal["yes", "no", "unknown"]
    consent_clause: str
    licence: str = ""
    status: Literal["available", "restricted", "withdrawn", "retracted", "unknown"]
    withdrawn: str = ""
    why: str = ""
    copies: str = ""
    sources: list[str] = Field(min_length=1)
    looks: list[Look] = Field(default_factory=list)

    @property
    def flag(self) -> str | None:
        """What a reader must be told: that it was withdrawn or retracted, or that nobody was asked."""
        if self.status in ("withdrawn", "retracted"):
            return self.status
        return "no consent" if self.consent == "no" else None

    def said(self) -> str:
        """Consent, status and why, in a sentence or two."""
        told = [f"{CONSENT[self.consent]}: {self.consent_clause}."]
        if self.status in ("withdrawn", "retracted"):
            when = f" ({self.withdrawn})" if self.withdrawn else ""
            told.append(f"{self.status.capitalize()}{when}: {self.why}.")
        if self.copies:
            told.append(f"Copies: {self.copies}.")
        return " ".join(told)


@dataclass(frozen=True)
class Recognised:
    """A known set, how surely it was recognised, and by which marks; `seen`: names that are there, never kept."""

    known: KnownSet
    sure: Sure
    marks: tuple[str, ...]
    seen: tuple[str, ...] = ()

    def said(self) -> str:
        """Consent, status and why; of pictures that only look like the set's, with an if."""
        return f"{'If they are that set: ' if self.sure == 'perhaps' else ''}{self.known.said()}"


@dataclass(frozen=True)
class Names:
    """The `paths` of a folder from its parent's name on, whether these are all, and what its manifest says."""

    paths: tuple[str, ...]
    whole: bool = True
    manifest: str = ""


@cache
def known_sets() -> tuple[KnownSet, ...]:
    """The table, in its order."""
    text = files("testbed.evidence").joinpath("known_sets.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[KnownSet, ...]).validate_python(tuple(yaml.safe_load(text)))


def known_set(name: str) -> KnownSet:
    """The set of that id. Raises InputError, naming the nearest, where there is none."""
    by_id = {known.id: known for known in known_sets()}
    if name not in by_id:
        raise InputError(f"there is no data set {name!r} in the table; {suggestion(name, by_id)}")
    return by_id[name]


def names_in(folder: Path) -> Names:
    """The names below a folder, MOST_NAMES at most; no link is followed, no picture opened. Raises InputError."""
    root = folder.resolve()
    if not root.is_dir():
        raise InputError(f"{folder}: there is no such folder; name one that holds pictures")
    found = list(islice(_walk(root, PurePosixPath(root.parent.name, root.name)), MOST_NAMES + 1))
    return Names(tuple(found[:MOST_NAMES]), len(found) <= MOST_NAMES, _manifest(root))


def _walk(root: Path, base: PurePosixPath) -> Iterator[str]:
    """Folders, each with "/" at its end, and files below `root`, as if it were called `base`; in order."""
    for here, folders, names in os.walk(root):
        folders.sort()
        inside = base / Path(here).relative_to(root).as_posix()
        yield f"{inside}/"
        yield from (f"{inside}/{name}" for name in sorted(names) if name.isprintable())


def recognise(names: Names) -> list[Recognised]:
    """The sets that names point to, surest first."""
    folders = "\n".join({path.rpartition("/")[0] for path in names.paths})
    pictures = [path for path in names.paths if path.lower().endswith(PICTURES)]
    every, pictured = "\n".join(names.paths), "\n".join(pictures)
    by_name = {known.id: said for known, said in _named(folders, folder=True)}
    by_manifest = {known.id: said for known, said in _named(names.manifest, folder=True)}
    found = []
    for known in known_sets():
        looks = {look.like: seen for look in known.looks if (seen := look.found(every, pictured, len(pictures)))}
        alone = any(look.alone for look in known.looks if look.like in looks)
        sure: Sure | None = None
        if known.id in by_name and looks:
            sure = "name and structure"
        elif known.id in by_manifest:
            sure = "manifest"
        elif alone:
            sure = "perhaps"
        elif known.id in by_name:
            sure = "name alone"
        if sure:
            marks = [f"its manifest names {by_manifest[known.id]}"] if known.id in by_manifest else []
            marks += [f"a folder is called {by_name[known.id]}"] if known.id in by_name else []
            marks += [f"names of the form {like}" for like in looks]
            shown = ("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in s) for s in looks.values())
            found.append(Recognised(known, sure, tuple(marks), tuple(shown)))
    return sorted(found, key=lambda each: [*HOW_SURE].index(each.sure))


def declared(text: str) -> list[Recognised]:
    """The sets that a system names in what it says of its training data."""
    return [Recognised(known, "as declared", (f"“{said}”",)) for known, said in _named(text)]


def provenance_of(run: RunDirectory, scenario: Scenario) -> list[dict[str, Any]]:
    """Rows of evidence `provenance`: the run's pictures, then what each system declares of its training.

    Pictures are recognised by the names that the run itself keeps, so that the same run always gives the same rows.
    A row: what, set (its id, or None), name, sure, marks, status, consent, gathered, licence, withdrawn, why, copies,
    sources, flag (withdrawn | retracted | no consent | None) and words.
    """
    manifest = run.manifest()

    def kept(pattern: str, table: Table) -> Names:
        rows = run.read(table).select("subject", "file").unique().sort("subject", "file").rows()
        parts = PurePosixPath(pattern).parts[-3:-1]
        return Names(tuple("/".join((*parts, file)).replace("{subject}", subject) for subject, file in rows))

    rows = list(_of_pictures(scenario, is_synthetic(manifest), kept))
    for system, info in manifest["systems"].items():
        text = str(info.get("training_data") or UNSTATED)
        otherwise = UNSTATED if text == UNSTATED else f"names no set of the table: “{text}”"
        rows += _rows(f"{TRAINING}{system}", declared(text), otherwise)
    return rows


def provenance_of_scenario(scenario: Scenario) -> list[dict[str, Any]]:
    """The same of a scenario not yet run, by its folders as they are. What systems declare, only a run can tell."""

    def there(pattern: str, _: Table) -> Names:
        return names_in(Path(*takewhile(lambda part: not {"{", "*"} & {*part}, Path(pattern).parent.parts)))

    made_up = isinstance(scenario.probes, Synthetic) or (isinstance(scenario.probes, Video) and scenario.probes.made_up)
    return list(_of_pictures(scenario, made_up, there))


def provenance_of_folder(folder: Path) -> list[dict[str, Any]]:
    """The same of a folder of pictures, by its names and its manifest; none where it is not recognised."""
    return [_row("collection", each, each.said()) for each in recognise(names_in(folder))]


def labels_of(subjects: pl.DataFrame, groups: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of evidence `labels`: who says so, for each attribute, of how many people; subjects: table SUBJECTS."""
    return [
        {"attribute": group, "provenance": who, "people": people}
        for group in groups
        for who, people in sorted(Counter(said_by(subjects, group)).items())
    ]


def said_by(subjects: pl.DataFrame, group: str) -> list[str]:
    """Who says so, for each person of table SUBJECTS."""
    column = f"{group}:provenance"
    return subjects[column].fill_null("not stated").to_list() if column in subjects else ["not stated"] * len(subjects)


def _of_pictures(
    scenario: Scenario, synthetic: bool, names: Callable[[str, Table], Names]
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Rows on a scenario's pictures; names: those that a pattern of photographs stands for."""
    if isinstance(scenario.probes, Log) or synthetic:
        yield _row("references and probes", None, NOBODY if synthetic else UNSAID)
        return
    if scenario.references is not None:
        yield from _rows("references", recognise(names(scenario.references.images, REFERENCES)))
    if isinstance(scenario.probes, Stills):
        yield from _rows("probes", recognise(names(scenario.probes.images, PHOTOGRAPHS)))
    elif isinstance(scenario.probes, Video):
        clips = [camera.file for camera in scenario.probes.cameras]
        truth = [camera.truth.file for camera in scenario.probes.cameras if isinstance(camera.truth, TruthFile)]
        # What has no ending is a folder of pictures.
        paths = ("/".join(path.parts[-3:]) + ("" if path.suffix else "/") for path in (*clips, *truth))
        yield from _rows("probes", recognise(Names(tuple(paths))))


def _named(text: str, *, folder: bool = False) -> list[tuple[KnownSet, str]]:
    """Sets named in a text, each with the words that name it; a longer name is not also a shorter one.

    folder: the text is names of folders, in which upper and lower case mean nothing.
    """
    found = []
    for known in known_sets():
        for name in known.names:
            loose = folder or not name.replace(" ", "").isupper()
            for match in re.finditer(_pattern(name), text, re.IGNORECASE if loose else 0):
                found.append((match.span(), known, match[0]))
    spans = [span for span, _, _ in found]
    whole = [
        (known, said)
        for (start, end), known, said in found
        if not any(a <= start and end <= b and (a, b) != (start, end) for a, b in spans)
    ]
    return list({known.id: (known, said) for known, said in reversed(whole)}.values())[::-1]


@cache
def _pattern(name: str) -> str:
    return r"(?<![A-Za-z0-9])" + r"[ _-]?".join(map(re.escape, name.split())) + r"(?![A-Za-z0-9])"


def _manifest(root: Path) -> str:
    """Name and source of a folder's manifest, "" where there is none that can be read."""
    path = root / MANIFEST
    try:
        said = {} if path.is_symlink() else read(path).value
    except InputError:
        return ""
    return " ; ".join(text for key in ("name", "source") if isinstance(text := said.get(key), str))


def _rows(what: str, found: Sequence[Recognised], otherwise: str = NO_CLEAN_BILL) -> list[dict[str, Any]]:
    return [_row(what, each, each.said()) for each in found] or [_row(what, None, otherwise)]


def _row(what: str, found: Recognised | None, words: str) -> dict[str, Any]:
    known = found.known.model_dump(exclude={"id", "name", "names", "looks", "year", "publisher"}) if found else {}
    of = ("status", "consent", "gathered", "licence", "withdrawn", "why", "copies", "sources")
    return {
        "what": what, "set": found.known.id if found else None, "name": found.known.name if found else None,
        "sure": found.sure if found else None, "marks": list(found.marks) if found else [],
        **{name: known.get(name) or ([] if name == "sources" else None) for name in of},
        "flag": found.known.flag if found else None, "words": words,
    }  # fmt: skip

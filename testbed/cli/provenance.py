"""The command that says where pictures come from: which well-known set a folder, a run or a scenario is of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.errors import InputError
from testbed.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.evidence.provenance import KnownSet, Recognised


@app.command()
def provenance(
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="a folder, a run, or a scenario (YAML)")] = None,
    about: Annotated[str | None, typer.Option(metavar="ID", help="what is known of one set, e.g. lfw")] = None,
    every: Annotated[bool, typer.Option("--list", help="the whole table")] = False,
) -> None:
    """Where do these pictures come from, and did those pictured agree?

    Known sets are recognised by the names of folders and files; no picture is opened. What a system declares of its
    training is looked up as well. Not to be recognised is no clean bill.
    """
    from testbed.evidence.provenance import known_set, known_sets

    if sum([path is not None, about is not None, every]) != 1:
        raise InputError("name one thing to look at: a folder, a run or a scenario, or --about ID, or --list")
    if every:
        lines = [
            f"{s.id:<21}{s.year}  {_known(s.status):<11}consent {_known(s.consent):<11}{s.name}" for s in known_sets()
        ]
        typer.echo("\n".join([*lines, "", "One of them: testbed provenance --about ID"]))
    elif about is not None:
        typer.echo("\n".join(_entry(known_set(about))))
    elif path is not None:
        typer.echo("\n".join(_of(path)))


def _of(path: Path) -> Iterator[str]:
    from testbed.evidence.provenance import (
        MOST_NAMES,
        NO_CLEAN_BILL,
        names_in,
        provenance_of,
        provenance_of_scenario,
        recognise,
    )
    from testbed.runs.directory import MANIFEST, RunDirectory
    from testbed.scenario.loading import load, reload

    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder; name a folder, a run or a scenario")
    if (path / MANIFEST).is_file():
        run = RunDirectory.open(path)
        run.require("match", "provenance")
        yield from _told(provenance_of(run, reload(run.manifest()["scenario"]).scenario))
    elif path.is_dir():
        names = names_in(path)
        found = recognise(names)
        for each in found:
            yield from _entry(each.known, each)
        if not found:
            yield f"{path}: {NO_CLEAN_BILL}."
        if not names.whole:
            yield f"Only the first {MOST_NAMES:,} names were looked at."
    elif path.suffix.lower() in (".yaml", ".yml"):
        yield from _told(provenance_of_scenario(load(path).scenario))
        yield "What its systems declare of their training is told by a run, and in every report."
    else:
        raise InputError(f"{path}: is neither a folder, a run nor a scenario (YAML)")


def _told(rows: list[dict[str, Any]]) -> Iterator[str]:
    from testbed.evidence.provenance import known_set

    for row in rows:
        if row["set"] is None:
            yield f"{row['what']}: {row['words']}"
        else:
            like = "files named like those of " if row["sure"] == "perhaps" else ""
            yield f"{row['what']}: {like}{row['name']}, {row['sure']} ({'; '.join(row['marks'])})"
            yield from _entry(known_set(row["set"]))[1:]


def _entry(known: KnownSet, found: Recognised | None = None) -> list[str]:
    """What is known of a set, line by line; found: how it was recognised."""
    from testbed.evidence.provenance import HOW_SURE

    when = f" ({known.withdrawn or 'when is not known'})" if known.flag == known.status else ""
    seen = [f"for example {each}" for each in found.seen] if found else []
    told = {
        "recognised": f"{HOW_SURE[found.sure]}: {'; '.join([*found.marks, *seen])}" if found else "",
        "made by": known.publisher,
        "people": known.people or "not known",
        "pictures": known.images or "not known",
        "gathered": {"volunteers": "from volunteers", "web": "from the web", "filmed": "by cameras that people passed"}
                    .get(known.gathered, "not known"),
        "consent": f"{_known(known.consent)}: {known.consent_clause}",
        "licence": known.licence or "not known",
        "status": f"{known.status.upper() if when else _known(known.status)}{when}",
        "why": known.why,
        "copies": known.copies,
        "sources": " ".join(known.sources),
    }  # fmt: skip
    like = "Files named like those of " if found and found.sure == "perhaps" else ""
    title = f"{like}{known.name} ({known.id}, {known.year})"
    return [title, *(f"  {name:<11}{said}" for name, said in told.items() if said)]


def _known(word: str) -> str:
    return "not known" if word == "unknown" else word

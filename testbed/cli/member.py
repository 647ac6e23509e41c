"""The command that asks whether a face is in a published collection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.errors import InputError
from testbed.cli.app import Workers, app

if TYPE_CHECKING:
    from testbed.runs.directory import RunDirectory
    from testbed.scenario.cells import Cell
    from testbed.scenario.loading import Loaded
    from testbed.sources.collection import Collection

SYSTEM_AND_CONDITION = "a finished run of the same system under the same condition"


@app.command()
def member(
    photograph: Annotated[
        Path | None, typer.Argument(metavar="PHOTO", help="a photograph of one face, the person asked about")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--in", metavar="FOLDER", help="the collection's pictures, and manifest.yaml")
    ] = None,
    calibration: Annotated[Path | None, typer.Option(metavar="RUN", help=SYSTEM_AND_CONDITION)] = None,
    cell: Annotated[
        str | None, typer.Option(help="which cell of it (default: the one of photographs as they are)")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help='the person\'s group, as the calibration labels it, e.g. "black female"')
    ] = None,
    show_files: Annotated[bool, typer.Option("--show-files", help="name the picture with the best face")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the answer as JSON, with every group")] = False,
    made_up: Annotated[
        bool, typer.Option("--made-up", help="a simulation: the calibration is of made-up people")
    ] = False,
    workers: Workers = None,
) -> None:
    """Is this face in this published collection? How strong the evidence is, and how often a stranger scores as high.

    Never a bare yes. No index is kept, nothing is written but the answer, and no file is named unless asked.
    """
    from reports.membership import letter
    from testbed.evidence.membership import calibration_cell
    from testbed.runs.directory import RunDirectory
    from testbed.scenario.loading import reload
    from testbed.sources.collection import read_collection

    if photograph is None or folder is None or calibration is None:
        given = {"PHOTO": photograph, "--in FOLDER": folder, "--calibration RUN": calibration}
        missing = ", ".join(name for name, value in given.items() if value is None)
        raise InputError(
            f"{missing}: not named; without a calibration ({SYSTEM_AND_CONDITION}) a score means nothing: "
            "testbed member PHOTO --in FOLDER --calibration RUN"
        )
    if not photograph.is_file():
        raise InputError(f"{photograph}: there is no such file; name a photograph of the one face that is asked about")
    run = RunDirectory.open(calibration)
    loaded = reload(run.manifest()["scenario"])
    chosen = calibration_cell(run, loaded, cell, made_up=made_up)
    collection = read_collection(folder)
    found = _asked(run, loaded, chosen, photograph, collection, group, workers, show_files=show_files)
    if not show_files:
        found["file"] = None
    typer.echo(json.dumps(found, indent=2, allow_nan=False) if as_json else letter(found))


def _asked(
    run: RunDirectory, loaded: Loaded, cell: Cell, photograph: Path, collection: Collection, group: str | None,
    workers: int | None, *, show_files: bool,
) -> dict[str, Any]:  # fmt: skip
    """Compare, then ask the evidence: everything that is told, as JSON-able values."""
    from testbed.cli.progress import bars
    from testbed.evidence.claims.judging import is_synthetic
    from testbed.evidence.membership import answer, group_named
    from testbed.evidence.provenance import provenance_of_folder
    from testbed.matching.collection import (
        asked_about,
        enrol_collection,
        in_calibration,
        same_system,
        scores_against,
    )
    from testbed.replay.workers import default_workers, pool
    from testbed.scenario.models import Stills

    whose = group_named(run, group)  # a mistaken name is told before anything is compared
    label = cell.system.label
    with bars() as progress, pool(workers or default_workers()) as executor:
        info = same_system(run, label, executor)
        template = asked_about(run, label, photograph, executor)
        enrolled = enrol_collection(run, label, collection, executor, progress, named=show_files)
    scores = scores_against(template, enrolled, info["metric"])
    best = int(scores.argmax() if info["direction"] == "similarity" else scores.argmin())
    manifest, faces = collection.manifest, len(scores)
    picture = str(collection.pictures[enrolled.pictures[best]])
    return {
        **answer(run, cell, float(scores[best]), faces, manifest.people or faces, whose),
        # A name may hold what a terminal would obey.
        "file": "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in picture),
        "collection": {
            "name": manifest.name, "source": manifest.source, "licence": manifest.licence,
            "pictures": len(collection.pictures), "people_stated": manifest.people is not None,
            "unreadable": enrolled.unreadable, "without_face": enrolled.without_face,
            "without_template": enrolled.without_template, "left_out": dict(collection.left_out),
            "recognised": provenance_of_folder(collection.folder),
        },
        "calibration": {
            "title": loaded.scenario.title, "cell": cell.id, "condition": cell.condition_name,
            "kind": loaded.scenario.probes.kind,
            "as_they_are": cell.condition.clean and isinstance(loaded.scenario.probes, Stills),
            "made_up": is_synthetic(run.manifest()), "has_photograph": in_calibration(run, photograph),
        },
    }  # fmt: skip

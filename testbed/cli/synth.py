"""The command that makes people up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import InputError
from testbed.cli.app import app


@app.command()
def synth(
    what: Annotated[str, typer.Argument(metavar="people", help="what to make: `people`, a contact sheet of faces")],
    n: Annotated[int, typer.Option("--n", help="how many people; with --cross, of each kind")] = 48,
    sheet: Annotated[Path, typer.Option(help="the picture; a CSV of what is declared lies beside it")] = Path(
        "people.png"
    ),
    seed: Annotated[int, typer.Option(help="other numbers make other people")] = 1,
    declare: Annotated[list[str] | None, typer.Option(help="what all have, such as tone=9; repeatable")] = None,
    cross: Annotated[list[str] | None, typer.Option(help="an attribute whose levels are crossed; repeatable")] = None,
) -> None:
    """Draw people who do not exist.

    Sex, age, skin tone and shape family are declared parameters of the drawing, measured on nobody, and none is a
    race. The same seed makes the same people. At most 48 of them are on the picture.
    """
    from testbed.cli.progress import bars
    from testbed.synthetic.people.identity import LEVELS, checked
    from testbed.synthetic.population import crossing, population
    from testbed.synthetic.sheet import sheet as draw

    if what != "people":
        raise InputError(f"{what}: cannot be made up; write: testbed synth people")
    if sheet.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise InputError(f"--sheet {sheet}: must end in .png or .jpg")
    if not sheet.parent.is_dir():
        raise InputError(f"--sheet {sheet}: there is no folder {sheet.parent}")
    declared = dict(_declared(each) for each in declare or [])
    for attribute in cross or []:
        checked(attribute, LEVELS.get(attribute, (None,))[0])
        if attribute in declared:
            raise InputError(f"--cross {attribute}: is declared too; name it once")
    people = population(crossing({name: LEVELS[name] for name in cross or []}, n, **declared), seed)
    table = sheet.with_suffix(".csv")
    with bars() as progress:
        shown = draw(people, sheet, table, progress)
    typer.echo(f"people: {sheet} ({shown} of {len(people):,}), {table}")


def _declared(text: str) -> tuple[str, str | int | bool]:
    from testbed.synthetic.people.identity import LEVELS, checked

    name, _, level = text.partition("=")
    for known in LEVELS.get(name, ()):
        if level == str(known).lower():
            return name, known
    checked(name, level)
    raise InputError(f"--declare {text}: write attribute=level, such as tone=9")

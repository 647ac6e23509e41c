"""The command that makes people up, and films them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import InputError
from testbed.cli.app import Workers, app


@app.command()
def synth(
    what: Annotated[
        str,
        typer.Argument(metavar="people|scenes|SCENARIO", help="`people`, `scenes`, or a scenario with made-up people"),
    ],
    n: Annotated[int | None, typer.Option("--n", help="people: how many (48); with --cross, of each kind")] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="people, scenes: the picture; of people, a CSV of what is declared lies beside it"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="people: other numbers make other people (1)")] = None,
    declare: Annotated[list[str] | None, typer.Option(help="people: what all have, e.g. tone=9; repeatable")] = None,
    cross: Annotated[
        list[str] | None, typer.Option(help="people: an attribute whose levels are crossed; repeatable")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="SCENARIO: a new folder for clips, truth and photographs")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="SCENARIO: change it, e.g. probes.people.0.count=6"),
    ] = None,
    workers: Workers = None,
) -> None:
    """Draw people who do not exist: a contact sheet of faces, or clips of cameras that they pass.

    `testbed synth people` draws faces, at most 48 on a sheet; `testbed synth scenes` every scene under every light.
    `testbed synth scenarios/station.yaml --out station` writes H.264 clips, the truth about every face (Parquet, CSV,
    MOTChallenge), reference photographs and a scenario that replays them: for this testbed or any other system.
    Started again with the same --out it goes on.

    Sex, age, skin tone and shape family are declared parameters of the drawing, measured on nobody, and none is a
    race. The same seed makes the same people and the same films.
    """
    given = {"--n": n, "--sheet": sheet, "--seed": seed, "--declare": declare, "--cross": cross,
             "--out": out, "--set": overrides}  # fmt: skip
    takes = {"people": ("--n", "--sheet", "--seed", "--declare", "--cross"), "scenes": ("--sheet",)}
    if what not in takes and not Path(what).suffix:
        raise InputError(f"{what}: cannot be made up; write: testbed synth people, or name a scenario file")
    for option, value in given.items():
        if value is not None and option not in takes.get(what, ("--out", "--set")):
            raise InputError(f"{option}: means nothing to `testbed synth {what}`; leave it out")
    if what not in takes:
        _films(Path(what), out, overrides or [], workers)
        return
    sheet = sheet or Path(f"{what}.png")
    if sheet.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise InputError(f"--sheet {sheet}: must end in .png or .jpg")
    if not sheet.parent.is_dir():
        raise InputError(f"--sheet {sheet}: there is no folder {sheet.parent}")
    if what == "scenes":
        _scenes(sheet)
    else:
        _people(48 if n is None else n, sheet, 1 if seed is None else seed, declare or [], cross or [])


def _films(scenario: Path, out: Path | None, overrides: list[str], workers: int | None) -> None:
    from testbed.cli.listing import absent
    from testbed.cli.progress import bars
    from testbed.replay.workers import default_workers, pool
    from testbed.scenario.loading import load
    from testbed.scenario.synthetic import Synthetic
    from testbed.synthetic.handout import claimed, hand_out
    from testbed.synthetic.production import checked, produce

    if not scenario.exists():
        raise absent(scenario)
    loaded = load(scenario, overrides)
    made_up = loaded.scenario.probes
    if not isinstance(made_up, Synthetic):
        raise InputError(f"{scenario}: probes.kind is {made_up.kind}; only `synthetic` can be filmed")
    if out is None:
        raise InputError(f"--out: name a folder for the clips, e.g. --out {scenario.stem}")
    checked(made_up, loaded.scenario.seed)
    with claimed(out, made_up, loaded.scenario.seed):
        with bars() as progress, pool(workers or default_workers()) as executor:
            made = produce(made_up, loaded.scenario.seed, out, executor, progress)
        clips = hand_out(made, made_up, out, loaded.resolved)
    for notice in made.notices:
        typer.echo(f"note: {notice}")
    passes = made.transits.height
    typer.echo(
        f"{out}: {len(clips)} clips, {made.subjects.height} people, {passes:,} passes, {made.faces.height:,} faces; "
        f"replay it: testbed run {out / 'scenario.yaml'}"
    )


def _scenes(sheet: Path) -> None:
    from testbed.cli.progress import bars
    from testbed.synthetic.sheet import places

    with bars() as progress:
        shown = places(sheet, progress)
    typer.echo(f"scenes: {sheet} ({shown} pictures)")


def _people(n: int, sheet: Path, seed: int, declare: list[str], cross: list[str]) -> None:
    from testbed.cli.progress import bars
    from testbed.synthetic.people.identity import LEVELS, checked
    from testbed.synthetic.population import crossing, population
    from testbed.synthetic.sheet import sheet as draw

    declared = dict(_declared(each) for each in declare)
    for attribute in cross:
        checked(attribute, LEVELS.get(attribute, (None,))[0])
        if attribute in declared:
            raise InputError(f"--cross {attribute}: is declared too; name it once")
    people = population(crossing({name: LEVELS[name] for name in cross}, n, **declared), seed)
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

"""The command `testbed`. Every import of weight waits for the command that needs it."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from pipelines.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from testbed.runs.directory import RunDirectory
    from testbed.scenario.loading import Loaded


class Commands(TyperGroup):
    """A mistyped command is wrong input like any other."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that `args` begin with. Raises InputError, naming the nearest, where there is none."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        from testbed.scenario.problems import suggestion

        raise InputError(f"there is no command {args[0]!r}; {suggestion(args[0], self.commands)}")


app = typer.Typer(
    name="testbed",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="How often is a surveillance camera's face match a stranger, and for whom?\n\n"
    "Replays recorded or made-up CCTV through face-matching systems and reports false matches and misses by "
    "demographic group, with honest uncertainty. It evaluates and never watches: nothing leaves this machine.\n\n"
    "Start with: `testbed scenarios`, then `testbed run scenarios/demo.yaml`.",
)

Workers = Annotated[int | None, typer.Option("--workers", "-w", min=1, help="worker processes (default: one per core)")]
LabelErrors = Annotated[
    Path | None, typer.Option(help="how often labels are wrong (CSV, see examples/label_errors.csv)")
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="a run directory")]


def main() -> None:
    """Entry point: wrong input is one sentence on standard error and exit code 2, never a traceback."""
    try:
        app()
    except InputError as error:
        print(f"testbed: {error}", file=sys.stderr)
        sys.exit(2)


@app.command()
def run(
    scenario: Annotated[Path | None, typer.Argument(metavar="SCENARIO", help="a scenario file (YAML)")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the run (default: runs/DATE-SCENARIO)")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="continue this run where it stopped")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="change the scenario, e.g. subjects.limit=24; repeatable"),
    ] = None,
    workers: Workers = None,
) -> None:
    """Answer a scenario's question: replay, match, evaluate, report.

    A run that was stopped, however, goes on with --resume and ends with the same tables.
    """
    from testbed.scenario.loading import load, reload

    if resume is None:
        if scenario is None:
            raise InputError("name a scenario (see `testbed scenarios`), or a run to continue with --resume RUN")
        if not os.path.lexists(scenario):
            from testbed.cli.listing import absent

            raise absent(scenario)
        loaded = load(scenario, overrides or [])
        directory = _new_run(out or _default_out(scenario), loaded)
    else:
        if out is not None:
            raise InputError(
                "--resume continues a run in its own folder; drop --out, or start a new run without --resume"
            )
        from testbed.runs.directory import RunDirectory

        directory = RunDirectory.open(resume)
        known = directory.manifest()["scenario"]
        if (scenario is not None or overrides) and load(
            scenario or Path(known["source"]), overrides or []
        ).resolved != known:
            raise InputError(
                f"{resume}: is a run of another scenario or of other settings; resume it without naming any, "
                "or start a new run with --out"
            )
        loaded = reload(known)
    try:
        _stages(directory, loaded, ("replay", "match", "evaluate", "report"), workers, only_missing=True)
    except InputError:
        if resume is None and not (directory.path / "frames").exists():
            # Nothing was replayed yet: leave the folder free for the corrected scenario.
            shutil.rmtree(directory.path, ignore_errors=True)
        raise
    except KeyboardInterrupt:
        hint = f"finished parts are kept, continue with: testbed run --resume {directory.path}"
        print(f"\ntestbed: stopped; {hint}", file=sys.stderr)
        raise typer.Exit(130) from None


@app.command()
def replay(directory: Run, workers: Workers = None) -> None:
    """Frames through every system, again (or, where a run was stopped, what is left): captures."""
    _again(directory, "replay", workers)


@app.command()
def match(directory: Run, workers: Workers = None) -> None:
    """Enrolment and all comparisons, again, from the captures of a run."""
    _again(directory, "match", workers)


@app.command()
def evaluate(
    directory: Run,
    claims: Annotated[Path | None, typer.Option(help="claims to judge (see scenarios/claims/example.yaml)")] = None,
    label_errors: LabelErrors = None,
    checked: Annotated[Path | None, typer.Option(help="the sheet of `testbed check`, filled in")] = None,
) -> None:
    """Rates and intervals, again, from the counts and tallies of a run: evidence.json."""
    _again(directory, "evaluate", None, claims_file=claims, label_errors=label_errors, checked=checked)
    if checked is not None:
        from testbed.cli.listing import corrections

        typer.echo(corrections(directory))
    if claims is not None:
        from testbed.cli.listing import claims as listing

        typer.echo(listing(directory))


@app.command()
def audit(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="LOG...", help="a score log, or mated and non-mated scores")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the run (default: runs/DATE-LOG)")] = None,
    form: Annotated[
        str | None, typer.Option(help="tidy, genuine-impostor, four-column, five-column, matrix, candidates")
    ] = None,
    matrix: Annotated[Path | None, typer.Option(help="a square matrix of scores (CSV or NPY)")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", metavar="ROLE=NAME", help="e.g. score=similarity")
    ] = None,
    groups: Annotated[
        Path | None, typer.Option("--groups", "--subjects", help="CSV: one row per person, id and groups")
    ] = None,
    group: Annotated[list[str] | None, typer.Option(help="a group column; repeatable")] = None,
    threshold: Annotated[float | None, typer.Option(help="the vendor's own threshold, in score units")] = None,
    distance: Annotated[bool, typer.Option("--distance", help="a smaller score is more alike")] = False,
    missing: Annotated[float | None, typer.Option(help="the score that stands for none, e.g. -1")] = None,
    diagonal_mated: Annotated[bool, typer.Option("--diagonal-mated", help="row i and column i are one person")] = False,
    probe_ids: Annotated[Path | None, typer.Option(help="the person of each matrix row, one a line")] = None,
    reference_ids: Annotated[Path | None, typer.Option(help="the person of each matrix column")] = None,
    gallery: Annotated[int | None, typer.Option(min=1, help="people enrolled in what candidate lists search")] = None,
    enrolled: Annotated[Path | None, typer.Option(help="their ids, one a line")] = None,
    percent_rule: Annotated[str | None, typer.Option(help="how the system shows a score as percent")] = None,
    claims: Annotated[Path | None, typer.Option(help="claims to judge (see scenarios/claims/example.yaml)")] = None,
    label_errors: LabelErrors = None,
) -> None:
    """A vendor's score log: the same evidence and report as a run."""
    from testbed.cli.listing import claims as listing
    from testbed.cli.progress import bars
    from testbed.evidence.claims import read_claims
    from testbed.evidence.percent import rule_named
    from testbed.scenario.loading import reload
    from testbed.scorelogs.options import LogOptions, form_named
    from testbed.scorelogs.stage import import_log

    logs = [*(files or []), *([matrix] if matrix else [])]
    options = LogOptions(
        files=tuple(logs),
        form="matrix" if matrix else form_named(form),
        columns=_assignments(columns or []),
        subjects=groups,
        groups=tuple(group or ()),
        threshold=threshold,
        direction="distance" if distance else "similarity",
        missing=missing,
        diagonal_mated=diagonal_mated,
        probe_ids=probe_ids,
        reference_ids=reference_ids,
        gallery=gallery,
        enrolled=enrolled,
        percent_rule=percent_rule,
    )
    if percent_rule is not None:
        rule_named(percent_rule, options.direction)
    if claims is not None:
        read_claims(claims)  # what is wrong with them is told before the log is read, which may take long
    given = {"claims_file": claims, "label_errors": label_errors}
    out = out or _default_out(logs[0])
    with _nothing_left(out):
        with bars() as progress:
            directory = import_log(options, out, progress)
        loaded = reload(directory.manifest()["scenario"])
        _stages(directory, loaded, ("evaluate", "report"), None, only_missing=False, **given)
    if claims is not None:
        typer.echo(listing(directory.path))


@app.command()
def check(
    directory: Run,
    out: Annotated[Path | None, typer.Option(help="the sheet (default: check.csv in the run)")] = None,
    point: Annotated[str | None, typer.Option(help="operating point whose false matches are listed")] = None,
    cell: Annotated[str | None, typer.Option(help="one cell of the run (default: all)")] = None,
) -> None:
    """Were they really strangers? A sheet of all falsely matched pairs and as many others, for a person to fill in."""
    from testbed.cli.listing import check as listing
    from testbed.evidence.check_run import check_run, write_sheet
    from testbed.runs.directory import RunDirectory
    from testbed.scenario.loading import reload

    run = RunDirectory.open(directory)
    sheet = check_run(run, reload(run.manifest()["scenario"]), point, cell)
    path = out or directory / "check.csv"
    if sheet.height:
        write_sheet(sheet, path)
    typer.echo(listing(sheet.height, path, directory))


@app.command()
def decode(
    percent: Annotated[float, typer.Argument(help="the percentage that was shown, e.g. 67")],
    directory: Annotated[Path, typer.Option("--run", metavar="RUN", help="a run of that system")],
    prior: Annotated[str | None, typer.Option(help="chance beforehand that it is the person, e.g. 1/1000")] = None,
    gallery: Annotated[int | None, typer.Option(min=1, help="people searched")] = None,
    in_gallery: Annotated[float | None, typer.Option(help="chance that the person is among them, e.g. 0.1")] = None,
    by: Annotated[str | None, typer.Option(help="group, or one attribute, e.g. face_eth")] = None,
    cell: Annotated[str | None, typer.Option(help="one cell of the run (default: all)")] = None,
    rule: Annotated[str | None, typer.Option(help="the percent rule, or a CSV of score,percent, where unknown")] = None,
) -> None:
    """What "67 %" means in this system: how many strangers are shown it, and what it is evidence of."""
    from testbed.evidence.decode_run import decode_run
    from testbed.runs.directory import RunDirectory

    chance = None if prior is None else _fraction(prior)
    lines = decode_run(
        RunDirectory.open(directory), percent,
        prior=chance, gallery=gallery, in_gallery=in_gallery, by=by, cell=cell, rule=rule,
    )  # fmt: skip
    typer.echo("\n".join(lines))


@app.command()
def plan(
    bound: Annotated[float, typer.Option(help="the rate that is not to be exceeded, e.g. 1e-4")],
    metric: Annotated[str, typer.Option(help="FMR, or FNMR, FTA, FTE")] = "FMR",
    groups: Annotated[int, typer.Option(help="groups the claim is made for")] = 1,
    claims: Annotated[int, typer.Option(help="claims judged together")] = 1,
    confidence: Annotated[float, typer.Option(help="of all statements together")] = 0.95,
    design_effect: Annotated[
        float | None, typer.Option(help="how much alike one person's comparisons are; assumed (default: 3)")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="take the design effect that was measured in this run")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="draw it: FILE.html, FILE.png or FILE.svg")] = None,
) -> None:
    """How many people a test needs before it can say anything."""
    from testbed.cli.listing import plan as listing
    from testbed.evidence.planning import ASSUMED, DesignEffect, measured_in
    from testbed.evidence.planning import plan as planned

    if directory is not None and design_effect is not None:
        raise InputError("--run and --design-effect: give one of them; a run brings the design effect it measured")
    if directory is None:
        effect, where = DesignEffect(ASSUMED if design_effect is None else design_effect), None
    else:
        effect, where = measured_in(directory)
    found = planned(metric, bound, groups, claims, confidence, effect)
    typer.echo(listing(found, where))
    if out is not None:
        from reports.plans import draw

        draw(found, groups, claims, where, out)
        typer.echo(f"drawn: {out}")


@app.command()
def report(directory: Run) -> None:
    """The report, again, from a run's evidence: report/index.html and a CSV of every table."""
    _again(directory, "report", None)


@app.command()
def pipelines(name: Annotated[str | None, typer.Argument(help="show one system's options")] = None) -> None:
    """The systems that can be put to the test, and their options."""
    from testbed.cli.listing import pipelines as listing

    typer.echo(listing(name))


@app.command()
def scenarios() -> None:
    """The ready-to-run scenario files, and the question each one answers."""
    from testbed.cli.listing import scenarios as listing

    typer.echo(listing())


@app.command()
def schema(what: Annotated[str, typer.Argument(metavar="[scenario|claims]")] = "scenario") -> None:
    """Print the JSON Schema of scenario files, or of claim files, for editors."""
    import json

    if what == "claims":
        from testbed.evidence.claims import json_schema
    elif what == "scenario":
        from testbed.scenario.schema import json_schema
    else:
        raise InputError(f"there is no schema of {what!r}; name scenario or claims")
    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def doctor() -> None:
    """What is missing on this machine, and how to get it. Exit code 1 where something is."""
    from testbed.cli.doctor import examine

    lines, healthy = examine()
    typer.echo("\n".join(lines))
    if not healthy:
        raise typer.Exit(1)


def _assignments(given: list[str]) -> dict[str, str]:
    """`ROLE=NAME` options as a mapping."""
    for each in given:
        if "=" not in each:
            raise InputError(f"--column {each}: write ROLE=NAME, e.g. --column score=similarity")
    return dict(each.split("=", 1) for each in given)


def _fraction(text: str) -> float:
    """A chance written as 0.001 or 1/1000."""
    from fractions import Fraction

    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        raise InputError(f"--prior {text}: write a chance as 0.001 or 1/1000") from None


def _default_out(scenario: Path) -> Path:
    from datetime import datetime

    return Path("runs") / f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{scenario.stem}"


@contextmanager
def _nothing_left(path: Path) -> Iterator[None]:
    """Where wrong input ends a new run, its folder goes, and so do the folders that were made for it."""
    fresh = not path.exists() or (path.is_dir() and not any(path.iterdir()))
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        yield
    except InputError:
        if fresh:
            shutil.rmtree(path, ignore_errors=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def _new_run(path: Path, loaded: Loaded) -> RunDirectory:
    from testbed.runs.directory import RunDirectory
    from testbed.runs.machine import hardware, versions

    return RunDirectory.create(
        path,
        {
            "scenario": loaded.resolved,
            "seed": loaded.scenario.seed,
            "versions": versions(),
            "hardware": hardware(),
        },
    )


def _again(path: Path, stage: str, workers: int | None, **given: Path | None) -> None:
    from testbed.runs.directory import RunDirectory
    from testbed.scenario.loading import reload

    directory = RunDirectory.open(path)
    _stages(directory, reload(directory.manifest()["scenario"]), (stage,), workers, only_missing=False, **given)


def _stages(
    directory: RunDirectory,
    loaded: Loaded,
    stages: Sequence[str],
    workers: int | None,
    *,
    only_missing: bool,
    **given: Path | None,
) -> None:
    """Run stages in order. Once one has run, those after it must: their tables would be of another world.

    given: what evaluate is handed beside the run's tables.
    """
    from testbed.cli.progress import bars

    todo = list(stages)
    if only_missing:
        while todo and directory.done(todo[0]):
            todo.pop(0)
    with directory.alone(), bars() as progress:
        if {"replay", "match"} & set(todo):
            from testbed.matching.stage import match as match_stage
            from testbed.replay.stage import replay as replay_stage
            from testbed.replay.workers import default_workers, pool

            workers = workers or default_workers()
            directory.note(workers=workers)
            with pool(workers) as executor:
                if "replay" in todo:
                    replay_stage(directory, loaded, executor, workers, progress)
                if "match" in todo:
                    match_stage(directory, loaded, executor, progress)
        if "evaluate" in todo:
            from testbed.evidence.stage import evaluate as evaluate_stage

            evaluate_stage(directory, loaded, progress, **given)
        if "report" in todo:
            from reports.stage import report as report_stage

            report_stage(directory, loaded, progress)
    manifest = directory.manifest()
    for notice in [*manifest.get("notices", []), *manifest.get("match_notices", [])]:
        typer.echo(f"note: {notice}")
    if stages[-1] == "report":
        typer.echo(f"report: {directory.path / 'report' / 'index.html'}")
    else:
        typer.echo(f"{stages[-1]}: done in {directory.path}")

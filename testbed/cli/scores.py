"""Commands for scores that somebody brings, and for what scores mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import InputError
from testbed.cli.app import LabelErrors, Run, app
from testbed.cli.stages import default_out, nothing_left, run_stages


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
    complete: Annotated[
        bool, typer.Option("--complete", help="every attempt is in the log: none without a score means none failed")
    ] = False,
    diagonal_mated: Annotated[bool, typer.Option("--diagonal-mated", help="row i and column i are one person")] = False,
    probe_ids: Annotated[Path | None, typer.Option(help="the person of each matrix row, one a line")] = None,
    reference_ids: Annotated[Path | None, typer.Option(help="the person of each matrix column")] = None,
    gallery: Annotated[int | None, typer.Option(min=1, help="people enrolled in what candidate lists search")] = None,
    enrolled: Annotated[Path | None, typer.Option(help="their ids, one a line")] = None,
    percent_rule: Annotated[str | None, typer.Option(help="how the system shows a score as percent")] = None,
    claims: Annotated[Path | None, typer.Option(help="claims to judge (see scenarios/claims/example.yaml)")] = None,
    label_errors: LabelErrors = None,
    allow_inferred: Annotated[
        bool, typer.Option("--allow-inferred", help="take inferred labels; needs --label-errors (docs/labels.md)")
    ] = False,
) -> None:
    """A vendor's score log: the same evidence and report as a run."""
    from testbed.cli.listing import claims as listing
    from testbed.cli.listing import label_check
    from testbed.cli.progress import bars
    from testbed.evidence.claims import read_claims
    from testbed.matching.percent import rule_named
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
        complete=complete,
        allow_inferred=allow_inferred,
        label_errors=label_errors,
    )
    if percent_rule is not None:
        rule_named(percent_rule, options.direction)
    if claims is not None:
        read_claims(claims)  # what is wrong with them is told before the log is read, which may take long
    given = {"claims_file": claims, "label_errors": label_errors}
    out = out or default_out(logs[0])
    with nothing_left(out):
        with bars() as progress:
            directory = import_log(options, out, progress)
        loaded = reload(directory.manifest()["scenario"])
        run_stages(directory, loaded, ("evaluate", "report"), None, only_missing=False, given=given)
    if label_errors is not None:
        typer.echo(label_check(directory.path))
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
    from testbed.evidence.claims.judging import is_synthetic
    from testbed.runs.directory import RunDirectory
    from testbed.scenario.loading import reload

    run = RunDirectory.open(directory)
    if is_synthetic(run.manifest()):
        raise InputError(f"{directory}: is a run of made-up people, whose truth is exact: there is nothing to check")
    asked = check_run(run, reload(run.manifest()["scenario"]), point, cell)
    path = out or directory / "check.csv"
    if asked.sheet.height:
        write_sheet(run, asked, path)
    typer.echo(listing(asked.sheet.height, path, directory))


@app.command()
def decode(
    percent: Annotated[str, typer.Argument(help="the percentage that was shown, e.g. 67")],
    directory: Annotated[Path, typer.Option("--run", metavar="RUN", help="a run of that system")],
    prior: Annotated[
        list[str] | None, typer.Option(help="chance beforehand that it is the person, e.g. 1/1000; repeatable")
    ] = None,
    gallery: Annotated[int | None, typer.Option(min=1, help="people searched")] = None,
    in_gallery: Annotated[float | None, typer.Option(help="chance that the person is among them, e.g. 0.1")] = None,
    by: Annotated[str | None, typer.Option(help="group, or one attribute, e.g. face_eth")] = None,
    cell: Annotated[str | None, typer.Option(help="one cell of the run (default: all)")] = None,
    rule: Annotated[str | None, typer.Option(help="the percent rule, or a CSV of score,percent, where unknown")] = None,
) -> None:
    """What "67 %" means in this system: how many strangers are shown it, and what it is evidence of."""
    from testbed.evidence.decode_run import decode_run
    from testbed.runs.directory import RunDirectory

    shown, chances = _percentage(percent), tuple(map(_fraction, prior)) if prior else None
    lines = decode_run(
        RunDirectory.open(directory), shown,
        prior=chances, gallery=gallery, in_gallery=in_gallery, by=by, cell=cell, rule=rule,
    )  # fmt: skip
    typer.echo("\n".join([*_of_made_up(directory), *lines]))


@app.command()
def plan(
    bound: Annotated[str, typer.Option(help="the rate that is not to be exceeded, e.g. 1e-4, 1/10000 or 0.01%")],
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
    limit = _fraction(bound, "--bound")
    found, assumed = (planned(metric, limit, groups, claims, confidence, each) for each in (effect, DesignEffect()))
    if out is not None:
        from reports.plans import draw

        draw(found, groups, claims, where, out)
    typer.echo("\n".join([*_of_made_up(directory), listing(found, where, None if where is None else assumed)]))
    if out is not None:
        typer.echo(f"drawn: {out}")


def _of_made_up(directory: Path | None) -> list[str]:
    """What must be known of figures from a run of made-up people, before they are read."""
    from testbed.evidence.claims.judging import is_synthetic
    from testbed.runs.directory import RunDirectory

    if directory is None or not is_synthetic(RunDirectory.open(directory).manifest()):
        return []
    return ["Made-up people: these figures come from drawings, and say nothing of real people or of photographs.", ""]


def _assignments(given: list[str]) -> dict[str, str]:
    """`ROLE=NAME` options as a mapping."""
    for each in given:
        if "=" not in each:
            raise InputError(f"--column {each}: write ROLE=NAME, e.g. --column score=similarity")
    return dict(each.split("=", 1) for each in given)


def _percentage(text: str) -> float:
    """A percentage written as 67, 67% or 67 %; what may be a share of 1 is asked about."""
    number = text.strip().removesuffix("%").strip()
    try:
        percent = float(number)
    except ValueError:
        raise InputError(f"{text!r} is no percentage; write it as it was shown, e.g. 67") from None
    if 0 < percent < 1 and "%" not in text:
        raise InputError(f"{text}: is that {100 * percent:g} % or {text} %? write {100 * percent:g}, or {text}%")
    return percent


def _fraction(text: str, option: str = "--prior") -> float:
    """A share written as 0.001, 1/1000 or 0.1 %."""
    from fractions import Fraction

    number = text.strip().removesuffix("%").rstrip()
    try:
        return float(Fraction(number)) / (100 if text.strip().endswith("%") else 1)
    except (ValueError, ZeroDivisionError):
        raise InputError(f"{option} {text}: write 0.001, 1/1000 or 0.1%") from None

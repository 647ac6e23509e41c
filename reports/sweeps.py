"""What several runs of one scenario say, beside the value in which they differ: a page, and one table as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from urllib.parse import quote

import polars as pl

from pipelines.errors import InputError
from reports import alerts, catalogue, lookups, wording
from reports.charts.sweeps import over_runs
from reports.documents import Drawings, page
from reports.reading import EVERYBODY, SAME_GROUP, Contents, Figure, read
from reports.tables import csv
from testbed.runs.directory import RunDirectory
from testbed.scenario.cells import Cell
from testbed.scenario.loading import Loaded
from testbed.scenario.problems import suggestion

PAGE, TABLE = "index.html", "sweep.csv"


@dataclass(frozen=True)
class Metric:
    """What is drawn. says: its heading; entry: where it is defined; of: what is counted.

    times: it is a number of so many, not per cent.
    """

    name: str
    says: str
    entry: str
    of: str = "comparisons"
    times: int | None = None

    def written(self, value: float | None) -> str:
        """A value as it is printed."""
        return wording.percent(value) if value is None or self.times is None else alerts.number(self.times * value)

    def between(self, row: Figure) -> str:
        """An interval as it is printed."""
        return wording.interval(row) if self.times is None else alerts.between(row, self.times)


MAIN = (
    Metric("FMR", "Strangers matched", "FMR"),
    Metric("FNMR", "The right person not matched", "FNMR"),
    Metric("FTA", "Passes in which no face was found", "FTA", "passes"),
    Metric("FPIR", "Searches for somebody who is not there that return somebody", "FPIR", "searches"),
    Metric("FNIR", "Searches in which the right person does not come first", "FNIR", "searches"),
    Metric(
        "false alerts",
        "Stopped by mistake, of 1,000 passes of people who are not wanted",
        "Falsely alerted",
        "passes",
        1000,
    ),
    Metric("missed", "Passes of the wanted that go unnoticed", "Missed", "passes"),
    Metric("stranger on top", "Look-ups of somebody who was there that show a stranger first", "Top hit", "searches"),
)
MORE = (
    Metric("GFRR", "The right person missed in any way", "GFRR", "passes"),
    Metric("FRR", "The right person missed, of those enrolled", "FRR", "passes"),
    Metric("FAR", "Strangers matched, of all passes", "FAR"),
    Metric("FTE", "Reference photographs that cannot be enrolled", "FTE", "photographs"),
    Metric("selectivity", "Candidates that a search returns", "Selectivity", "searches", 1),
)


def known(name: str) -> Metric:
    """The metric of that name. Raises InputError, naming the nearest, where there is none."""
    found = {metric.name: metric for metric in (*MAIN, *MORE)}
    if name not in found:
        raise InputError(f"--metric {name}: is none that a sweep draws; {suggestion(name, found)}")
    return found[name]


def write(
    out: Path, key: str, made: Sequence[tuple[str, Loaded, RunDirectory]], metrics: Sequence[Metric] = ()
) -> Path:
    """Write the page and the table of finished runs, (value as typed, scenario, run) each, and return the page's path.

    Without metrics: those of MAIN that any of the runs measured.
    """
    runs = [(value, read(run, loaded)) for value, loaded, run in made]
    rows = [row for metric in metrics or MAIN for row in rows_of(metric, runs)]
    measured = {row["metric"] for row in rows if row["value"] is not None}
    chosen = metrics or [metric for metric in MAIN if metric.name in measured]
    first = runs[0][1]
    made_up = any(contents.synthetic for _, contents in runs)
    drawings = Drawings(made_up)
    sections = []
    for metric in chosen:
        mine = [row for row in rows if row["metric"] == metric.name]
        chart = None
        if metric.name in measured:
            words = f"{metric.says} ({metric.name}) against {key}"
            chart = drawings.place(over_runs(mine, metric.written, metric.between, key, metric.times), words)
        sections.append((metric, mine, chart))
    points = {contents.main_point for _, contents in runs}
    html = page(
        "sweep.html.j2",
        key=key,
        title=first.scenario.title,
        question=first.scenario.question,
        values=[(value, quote(f"{run.path.name}/report/index.html")) for value, _, run in made],
        lines=list(dict.fromkeys(line for value, contents in runs for line, _ in _lines(runs, contents))),
        sections=sections,
        point=wording.at_point(next(iter(points)), whose="each system's") if len(points) == 1 else "",
        definition=catalogue.anchor,
        drawings=drawings,
        made_up=made_up,
        version=first.manifest.get("versions", {}).get("cctv-face-testbed", ""),
    )
    folder = RunDirectory(out)
    shown = {metric.name for metric in chosen}
    table = pl.DataFrame(
        [
            {"made_up_people": made_up, "key": key, "run": made[row["nth"]][2].path.name,
             **{name: each for name, each in row.items() if name not in ("nth", "line", "at")}}
            for row in rows if row["metric"] in shown
        ],
        infer_schema_length=None,
    )  # fmt: skip
    folder.write_bytes(TABLE, csv(table))
    folder.write_bytes(PAGE, html.encode())
    return out / PAGE


def rows_of(metric: Metric, runs: Sequence[tuple[str, Contents]]) -> Iterator[Figure]:
    """The metric in every cell of every run, at that run's main operating point, everybody together."""
    for nth, (value, contents) in enumerate(runs):
        for line, cell in _lines(runs, contents):
            figure = _figure(metric, contents, cell)
            if figure is not None:
                yield {
                    "nth": nth, "line": line, "at": number(value), "swept": value, "system": cell.system.label,
                    "condition": cell.condition_name, "metric": metric.name, "group": EVERYBODY,
                    "reference_group": figure.get("reference_group"),
                    "operating_point": figure.get("operating_point"), "threshold": figure.get("threshold"),
                    "gallery_size": figure.get("gallery_size"), "rank": figure.get("rank"),
                    **{name: figure[name] for name in ("value", "low", "high", "errors", "comparisons")},
                    "people": figure["subjects"], "method": figure["method"], "verdict": figure["verdict"],
                }  # fmt: skip


def _figure(metric: Metric, contents: Contents, cell: Cell) -> Figure | None:
    point = contents.main_point
    if metric.name in ("false alerts", "missed"):
        row = next((row for row in contents.alerted(cell) if row["operating_point"] == point), None)
        if row is None:
            return None
        place = {"operating_point": point, "threshold": row["threshold"], "gallery_size": row["wanted"]}
        return {**place, **alerts.everybody(row)["by_pass"][metric.name.replace(" ", "_")]}
    if metric.name == "stranger on top":
        look = next((look for look in contents.lookup if look["cell"] == cell.id), None)
        row = look and lookups.at_level(look, point)
        if not look or not row:
            return None
        place = {"operating_point": point, "threshold": row["threshold"], "gallery_size": look["people"]}
        return {**place, **row["stranger"]}
    references = (SAME_GROUP, EVERYBODY, None)
    found = [
        figure
        for figure in contents.figures
        if (figure["metric"], figure["cell"], figure["probe_group"]) == (metric.name, cell.id, EVERYBODY)
        and figure["operating_point"] in (point, None)
        and figure["rank"] in (1, None)
        and figure["reference_group"] in references
    ]
    # Of strangers, those of one group, as in the report; of galleries, the largest.
    order = {name: place for place, name in enumerate(references)}
    return min(found, key=lambda each: (order[each["reference_group"]], -(each["gallery_size"] or 0)), default=None)


def number(value: str) -> float | None:
    """A value as a number; None where it is none."""
    try:
        return float(value) if isfinite(float(value)) else None
    except ValueError:
        return None


def _lines(runs: Sequence[tuple[str, Contents]], contents: Contents) -> Iterator[tuple[tuple[str, str], Cell]]:
    """The cells of a run, each with the line it lies on: a system, and a condition where there are several.

    A cell lies on one line with those in its place in the other runs, also where the swept value changes its name.
    """
    cells = [each.cells for _, each in runs]
    alike = len({len(each) for each in cells}) == 1
    for nth, cell in enumerate(contents.cells):
        systems = {each[nth].system.label for each in cells} if alike else {cell.system.label}
        conditions = {each[nth].condition_name for each in cells} if alike else {cell.condition_name}
        system = cell.system.label if len(systems) == 1 else f"system {1 + contents.systems.index(cell.system.label)}"
        place = 1 + contents.conditions.index(cell.condition_name)
        condition = wording.condition(cell.condition_name) if len(conditions) == 1 else f"condition {place}"
        yield (system, condition if len(contents.conditions) > 1 or not alike else ""), cell

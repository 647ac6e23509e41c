"""The report stage: a run's tables and evidence in, `report/index.html` and a CSV of every table with rows out."""

from __future__ import annotations

from pathlib import Path

from reports.documents import html
from reports.reading import read
from reports.tables import all_tables, csv
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress, silent
from testbed.scenario.loading import Loaded

PAGE = "report/index.html"


def report(run: RunDirectory, loaded: Loaded, progress: Progress = silent) -> Path:
    """Run the stage and return the page's path. Raises InputError unless the evaluate stage is done."""
    run.require("evaluate", "report")
    run.begin("report")
    contents = read(run, loaded)
    tables = all_tables(contents)
    total = len(tables) + 1
    for done, (name, table) in enumerate(tables.items()):
        progress("report", done, total, f"{name}.csv")
        if table.height:
            run.write_bytes(f"report/{name}.csv", csv(table, people_known=contents.said("subjects")))
        else:
            (run.path / "report" / f"{name}.csv").unlink(missing_ok=True)  # an earlier report may have had rows
    progress("report", total - 1, total, "index.html")
    run.write_bytes(PAGE, html(contents, tables).encode())
    progress("report", total, total)
    run.finish("report")
    return run.path / PAGE

"""The report's tables: flat rows, the same for the page and for the CSV files. No id of a person is in any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from reports import alerts, enhanced, heads, linkage, reviewers, synthetic
from reports.findings import worst_acquisition, worst_group
from reports.reading import EVERYBODY, MAIN, SAME_GROUP, Contents, Figure, per_cell
from reports.wording import MADE_UP as MADE_UP_PEOPLE
from reports.wording import NOT_KNOWN, without_folders, without_names
from testbed.evidence.verdicts import family_words, pair_words
from testbed.matching.people import PASSER_BY, Group
from testbed.runs.tables import CAPTURES, FRAMES, TIMINGS
from testbed.scenario.cells import Cell
from testbed.scenario.models import NobodyEnrolled, Video
from testbed.scenario.synthetic import Synthetic

OF_FACES = ("align", "template")
"""Stages that a frame without a face does not go through."""
CURVE_POINTS = 80
"""A DET curve is drawn from at most this many of its steps."""

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


OF_PEOPLE = ("people", "people_compared", "mated_people", "subjects")
"""Columns that count people."""


def csv(frame: pl.DataFrame, *, people_known: bool = True) -> bytes:
    """A table as CSV, UTF-8. Text that a spreadsheet would run as a formula is kept text by a leading apostrophe."""
    if not people_known:
        frame = frame.with_columns(pl.lit(NOT_KNOWN).alias(name) for name in OF_PEOPLE if name in frame.columns)
    guarded = [
        pl.when(pl.any_horizontal(pl.col(name).str.starts_with(mark) for mark in _STARTS_A_FORMULA))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name, dtype in frame.schema.items()
        if dtype == pl.String
    ]
    return frame.with_columns(guarded).write_csv().encode()


def all_tables(contents: Contents) -> dict[str, pl.DataFrame]:
    """Every table of the report by the name of its CSV file, without `.csv`; some may be empty.

    Of made-up people, each says so in its first column.
    """
    made = {
        "figures": figures(contents),
        "differentials": differentials(contents),
        "at_a_glance": at_a_glance(contents),
        "fmr_by_group": fmr_by_group(contents),
        "fmr_across_groups": fmr_across_groups(contents),
        "operating_points": operating_points(contents),
        "acquisition": acquisition(contents),
        "failures": failures(contents),
        "what_was_found": what_was_found(contents),
        "sweep": sweep(contents),
        "score_distributions": distributions(contents),
        "det": det(contents),
        "timings": timings(contents),
        "groups": groups(contents),
        "claims": claims(contents), "score_meaning": score_meaning(contents),
        "likelihood_ratios": likelihood_ratios(contents), "percents": percents(contents),
        "reliability": reliability(contents), "strangers": strangers(contents), "thresholds": thresholds(contents),
        "planning": planning(contents), "indices": indices(contents),
        "label_sensitivity": label_sensitivity(contents), "corrections": corrections(contents),
        "contrasts": contrasts(contents),
        "lookup_top_hits": lookup_top_hits(contents), "lookup_top_scores": lookup_top_scores(contents),
        "lookup_growth": lookup_growth(contents),
        "alerts": _frame(alerts.table(contents)),
        "precision": _frame(alerts.precision_table(contents)),
        "enhanced": _frame(enhanced.table(contents)),
        "enhanced_draws": _frame(enhanced.draws_table(contents)),
        "heads": _frame(heads.table(contents)),
        "linkage": _frame(linkage.table(contents)),
        "reviewers": _frame(reviewers.table(contents)),
        "reviewers_precision": _frame(reviewers.precision_table(contents)),
        "reviewers_sensitivity": _frame(reviewers.sensitivity_table(contents)),
        "domain_gap": _frame(synthetic.table(contents)),
    }  # fmt: skip
    if not contents.synthetic:
        return made
    mark = pl.lit(MADE_UP_PEOPLE).alias("synthetic")
    return {name: each.select(mark, pl.exclude("synthetic")) if each.height else each for name, each in made.items()}


def figures(contents: Contents) -> pl.DataFrame:
    """Every figure of evidence.json, one row each, in its order."""
    return _frame(map(_flat, contents.figures))


def differentials(contents: Contents) -> pl.DataFrame:
    """Every differential of evidence.json, one row each, in its order."""
    return _frame(map(_flat, contents.differentials))


def at_a_glance(contents: Contents) -> pl.DataFrame:
    """One row per system and column of the first screen's table: which figure stands there, with all its numbers."""
    rows = []
    for system in contents.systems:
        for column, figure in glance(contents, system).items():
            if figure is not None:
                rows.append({"column": column, **_flat(figure)})
    return _frame(rows)


def glance(contents: Contents, system: str) -> dict[str, Figure | None]:
    """The figures of one line of the first screen's table."""
    cell = contents.reference_cell(system)
    searched, point = {}, contents.searched_point(cell)
    for size in contents.gallery_sizes(cell)[-1:]:
        searched = {
            "FPIR": contents.figure("FPIR", cell, point=point, gallery=size),
            "FNIR": contents.figure("FNIR", cell, point=point, gallery=size, rank=1),
            "selectivity": contents.figure("selectivity", cell, point=point, gallery=size),
        }
    return {
        **searched,
        "FMR, all strangers": contents.figure("FMR", cell, PASSER_BY, EVERYBODY)
        or contents.figure("FMR", cell, EVERYBODY, EVERYBODY),
        "FMR, same group": contents.figure("FMR", cell, EVERYBODY, SAME_GROUP),
        "FMR, highest measured group": worst_group(contents, cell),
        "FNMR": contents.figure("FNMR", cell),
        "FTA": contents.figure("FTA", cell, point=None),
        "FTA, worst condition": worst_acquisition(contents, system),
    }


def fmr_by_group(contents: Contents) -> pl.DataFrame:
    """Within-group FMR at the main operating point, with what the comparison between groups says of it."""
    rows = []
    for cell in contents.cells:
        kinds = {"everybody": [contents.people.everyone()], **contents.kinds()}
        for kind, members in kinds.items():
            compared = contents.compared(cell, kind)
            for group, figure in ranked(contents, cell, members):
                shown = compared.get(group.name, {})
                rows.append({
                    "system": cell.system.label, "condition": cell.condition_name, "kind": kind, "group": group.name,
                    "people": contents.size(group), "people_compared": figure["subjects"],
                    **_numbers(figure), "compared_with": shown.get("reference"),
                    "at_least_times": shown["low"] if shown.get("verdict") == "higher" else None,
                    "comparison": shown.get("verdict"), "family_p": shown.get("family_p"),
                    "holm_p": shown.get("holm_p"), "threshold": figure["threshold"],
                })  # fmt: skip
            if kind == "everybody" and (same := contents.figure("FMR", cell, EVERYBODY, SAME_GROUP)):
                rows.append({**rows[-1], "group": SAME_GROUP, "people_compared": same["subjects"], **_numbers(same)})
    return _frame(rows)


def operating_points(contents: Contents) -> pl.DataFrame:
    """FMR within groups and FNMR of every group at every operating point, per system and condition."""
    return _frame(
        {
            "metric": metric, "system": cell.system.label, "condition": cell.condition_name, "kind": kind,
            "group": group, "operating_point": point, "threshold": figure["threshold"], "people": figure["subjects"],
            **_numbers(figure),
        }
        for cell in contents.cells
        for kind, group, by_point in at_every_point(contents, cell)
        for point, pair in by_point.items()
        for metric, figure in pair.items()
        if figure is not None
    )  # fmt: skip


def at_every_point(contents: Contents, cell: Cell) -> Iterator[tuple[str, str, dict[str, dict[str, Figure | None]]]]:
    """Kind, group, and by operating point its FMR and FNMR: everybody, same group, then the groups by kind."""
    same = [("everybody", SAME_GROUP)] if contents.people.attributes else []
    groups = [(kind, group.name) for kind, members in contents.kinds().items() for group in members]
    for kind, name in [("everybody", EVERYBODY), *same, *groups]:
        probe = EVERYBODY if name == SAME_GROUP else name
        by_point = {
            point: {
                "FMR": contents.figure("FMR", cell, probe, name, point),
                "FNMR": None if name == SAME_GROUP else contents.figure("FNMR", cell, name, point=point),
            }
            for point in contents.operating_points
        }
        if any(figure is not None for pair in by_point.values() for figure in pair.values()):
            yield kind, name, by_point


def claims(contents: Contents) -> pl.DataFrame:
    """Every claim that was judged, one row per statement, in the order of evidence.json."""
    return _frame(map(_flat, contents.claims))


def score_meaning(contents: Contents) -> pl.DataFrame:
    """What a score is worth as evidence, per system, condition and group, flat."""
    rows = []
    for row in contents.score_meaning:
        least, most = row["log10_limits"] or (None, None)
        flat: dict[str, Any] = {
            "system": row["system"], "condition": row["condition"]["name"], "group": row["probe_group"],
            "strangers_of": row["reference_group"], "people": row["subjects"], "mated_people": row["mated_subjects"],
            "comparisons": row["comparisons"], "mated_comparisons": row["mated_comparisons"],
        }  # fmt: skip
        for name in ("cllr", "cllr_min", "cllr_cal", "cllr_logistic", "expected_calibration_error"):
            known = row[name] or {}
            flat |= {name: known.get("value"), f"{name}_low": known.get("low"), f"{name}_high": known.get("high")}
        flat |= {"log10_ratio_least": least, "log10_ratio_most": most, "percent_rule": row["percent_rule"]}
        rows.append({**flat, "verdict": row["verdict"], "why": row["why"]})
    return _frame(rows)


def likelihood_ratios(contents: Contents) -> pl.DataFrame:
    """Likelihood ratios as drawn, by system, condition, group and score."""
    return _frame(
        {**_meant(row), "score": point["score"], "percent": point["percent"], "log10_ratio": point["log10"],
         "log10_ratio_logistic": point["logistic"]}
        for row in contents.score_meaning for point in row["likelihood_ratios"] or []
    )  # fmt: skip


def percents(contents: Contents) -> pl.DataFrame:
    """What a shown percent means, by system, condition, group and percent."""
    rows = []
    for row in contents.score_meaning:
        for each in row["percents"] or []:
            shown = each["shown"] or {}
            flat = {**_meant(row), "rule": row["percent_rule"], "percent": each["percent"], "score": each["score"],
                    "counted_at": shown.get("counted_at"), "strangers_counted": shown.get("errors"),
                    "strangers_compared": shown.get("comparisons"), "strangers_shown": shown.get("value"),
                    "strangers_low": shown.get("low"), "strangers_high": shown.get("high"),
                    **{name: each[name] for name in ("log10_ratio", "log10_low", "log10_high",
                                                     "at_limit")}}  # fmt: skip
            for chance in each["posterior"] or []:
                at = f"posterior_at_{chance['prior']:g}"
                flat |= {at: chance["value"], f"{at}_low": chance["low"], f"{at}_high": chance["high"]}
            rows.append({**flat, "counted": each["counted"], "why": each["why"]})
    return _frame(rows)


def reliability(contents: Contents) -> pl.DataFrame:
    """Reliability diagrams, by system, condition, group and range of scores."""
    return _frame(
        {**_meant(row), "prior": row["reliability"]["prior"], **each}
        for row in contents.score_meaning if row["reliability"] for each in row["reliability"]["bins"]
    )  # fmt: skip


def strangers(contents: Contents) -> pl.DataFrame:
    """The chance that a stranger is shown a match, by system, condition, group, operating point and people searched."""
    return _frame(
        {**_meant(row), "operating_point": told["operating_point"], "threshold": told["threshold"],
         "people_searched": each["size"], **{name: each[name] for name in ("value", "low", "high", "how")}}
        for row in contents.score_meaning for told in row["stranger"] or [] for each in told["chances"]
    )  # fmt: skip


def thresholds(contents: Contents) -> pl.DataFrame:
    """Thresholds that were found on half of the people, with their intervals, in the order of evidence.json."""
    return _frame(map(_flat, contents.found_thresholds))


def planning(contents: Contents) -> pl.DataFrame:
    """People needed per group, by system, condition and bound."""
    names = ("metric", "statements", "confidence", "design_effect", "measured_in", "measured_on")
    return _frame(
        {"system": row["system"], "condition": row["condition"]["name"], **{name: row[name] for name in names}, **each}
        for row in contents.planning for each in row["rows"]
    )  # fmt: skip


def _meant(row: Figure) -> dict[str, Any]:
    return {
        "system": row["system"], "condition": row["condition"]["name"], "group": row["probe_group"],
        "strangers_of": row["reference_group"], "people": row["subjects"],
    }  # fmt: skip


def indices(contents: Contents) -> pl.DataFrame:
    """Every index of evidence.json, one row each, in its order; lists of groups joined by semicolons."""
    lists = ("metrics", "groups", "left_out")
    return _frame({**_flat(row), **{name: "; ".join(row[name]) for name in lists}} for row in contents.indices)


def label_sensitivity(contents: Contents) -> pl.DataFrame:
    """Every rate as labelled and as recomputed for wrong labels, in the order of evidence.json."""
    return _frame(map(_flat, contents.label_sensitivity))


def corrections(contents: Contents) -> pl.DataFrame:
    """Every FMR and FNMR as recorded and as corrected after an identity check, in the order of evidence.json."""
    return _frame(map(_flat, contents.corrections["figures"] if contents.corrections else []))


def contrasts(contents: Contents) -> pl.DataFrame:
    """Every effect of a changed cause, in the order of evidence.json."""
    rows = []
    for row in contents.contrasts:
        flat, told = _flat({k: v for k, v in row.items() if k not in ("truth", "more_alike")}), row["more_alike"] or {}
        flat |= {"baseline": str(row["baseline"]), "level": str(row["level"])}
        flat |= {f"deviations_more_alike{end}": told.get(name) for end, name in
                 (("", "value"), ("_low", "low"), ("_high", "high"))}  # fmt: skip
        flat |= {f"{arm}_{name}": mean for arm, means in row["truth"].items() for name, mean in means.items()}
        rows.append(flat)
    return _frame(rows)


def lookup_top_hits(contents: Contents) -> pl.DataFrame:
    """Who is on top in look-ups, by system, condition, group, what is shown at least, and who was there."""
    return _frame(
        {**_looked(look), "group": row["group"], "shown": row["shown"], "threshold": row["threshold"],
         "percent": row["percent"], "people": row[who]["subjects"], "top_hit": what, **_numbers(row[who])}
        for look in contents.lookup for row in look["top_hits"]
        for who, what in (("absent", "not there: a stranger"), ("stranger", "there: a stranger"),
                          ("right", "there: the right person"))
    )  # fmt: skip


def lookup_top_scores(contents: Contents) -> pl.DataFrame:
    """The best hit of people who were not there: in what share of searches it is at least so alike."""
    return _frame(
        {**_looked(look), "people": look["top_scores"]["people"], "searches": look["top_scores"]["searches"], **row}
        for look in contents.lookup for row in look["top_scores"]["curve"]
    )  # fmt: skip


def lookup_growth(contents: Contents) -> pl.DataFrame:
    """Look-ups as people and cameras grow: measured, and by the model beside and beyond."""
    rows = []
    for look in contents.lookup:
        of = {"system": look["system"], "condition": look["condition"]["name"]}
        rows += [{**of, "how": "measured", **row} for row in look["growth"]]
        for told in look["model"]:
            same = {name: told[name] for name in ("shown", "threshold", "percent")} | {"people": told["subjects"]}
            how = {"beside": "model", "extrapolated": "model, extrapolated"}
            rows += [{**of, **same, "measure": "returned", **row, "how": how[row["how"]]} for row in told["rows"]]
    return _frame(rows)


def _looked(look: Figure) -> dict[str, Any]:
    return {"system": look["system"], "condition": look["condition"]["name"], "people_who_passed": look["people"]}


def in_words(contents: Contents, cell: Cell) -> Iterator[tuple[str, str, str, list[str]]]:
    """Metric, kind of group, what the test of one rate for all found, and a sentence or two on every group."""
    for metric, point in (("FMR", MAIN), ("FNMR", MAIN), ("FTA", None)):
        for kind in contents.kinds():
            told = list(contents.compared(cell, kind, metric, point).values())
            if told:
                each = [f"{d['words']} {pair_words(d['holm_p'])}".strip() for d in told]
                yield metric, kind, "" if contents.synthetic else family_words(told[0]["family_p"]), each


def index_value(value: float) -> str:
    """An index: 92, 5.42, 0.845."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ranked(contents: Contents, cell: Cell, members: list[Group]) -> list[tuple[Group, Figure]]:
    """Groups with their within-group FMR: measured ones from high to low, then those too small, by name, unranked."""
    figures = [(group, contents.figure("FMR", cell, group.name, group.name)) for group in members]
    there = [(group, figure) for group, figure in figures if figure is not None]
    return sorted(
        there,
        key=lambda each: (True, 0.0, each[0].name) if each[1]["verdict"] == "insufficient"
        else (False, -(each[1]["value"] or 0.0), each[0].name),
    )  # fmt: skip


def fmr_across_groups(contents: Contents) -> pl.DataFrame:
    """FMR of every ordered pair of groups of one kind, at the main operating point."""
    rows = []
    for cell in contents.cells:
        for kind, members in contents.kinds().items():
            for probe in members:
                for reference in members:
                    if figure := contents.figure("FMR", cell, probe.name, reference.name):
                        rows.append({
                            "system": cell.system.label, "condition": cell.condition_name, "kind": kind,
                            "probe_group": probe.name, "reference_group": reference.name,
                            "people": figure["subjects"], **_numbers(figure),
                        })  # fmt: skip
    return _frame(rows)


def acquisition(contents: Contents) -> pl.DataFrame:
    """FTA by group and condition, and FTE by group, per system."""
    rows = []
    for cell in contents.cells:
        for group in contents.people.within():
            for metric in ("FTA", "FTE"):
                if figure := contents.figure(metric, cell, group.name, point=None):
                    rows.append({
                        "metric": metric, "system": cell.system.label, "condition": cell.condition_name,
                        "group": group.name, "people": figure["subjects"], **_numbers(figure),
                    })  # fmt: skip
    return _frame(rows)


def failures(contents: Contents) -> pl.DataFrame:
    """What could not be done and why: enrolments, passes without a face, passes never put before the system."""
    names = [*contents.references["file"], *contents.attempts["transit"], *contents.photographs()["file"]]
    systems = {cell.id: cell.system.label for cell in contents.cells}
    rank = {system: i for i, system in enumerate(contents.systems)}
    order = {cell.id: i for i, cell in enumerate(contents.cells)}
    conditions = {cell.id: cell.condition_name for cell in contents.cells}
    enrolments = contents.references.filter(pl.col("state") != "enrolled").select(
        "system", pl.lit("every condition").alias("condition"), pl.lit("enrolment").alias("what"), "state", "reason",
        pl.lit(-1).alias("order"),
    )  # fmt: skip
    passes = contents.attempts.filter(pl.col("state") != "acquired").select(
        pl.col("cell").replace_strict(systems, return_dtype=pl.String).alias("system"),
        pl.col("cell").replace_strict(conditions, return_dtype=pl.String).alias("condition"),
        pl.lit("pass before a camera").alias("what"), "state", "reason",
        pl.col("cell").replace_strict(order, return_dtype=pl.Int32).alias("order"),
    )  # fmt: skip
    told = pl.concat([enrolments, passes]).with_columns(
        pl.col("reason").map_elements(
            lambda reason: without_names(without_folders(reason), names), return_dtype=pl.String
        )
    )
    keys = ["system", "order", "condition", "what", "state", "reason"]
    counted = told.group_by(keys).agg(number=pl.len())
    in_order = [pl.col("system").replace_strict(rank, return_dtype=pl.Int32), *keys[1:]]
    return counted.sort(in_order).drop("order")


MADE_UP = "truth: exact, as drawn"
"""What is known of who passes a made-up camera."""


def what_was_found(contents: Contents) -> pl.DataFrame:
    """Per system, condition and camera: frames, undecodable and undelivered ones, faces, unassigned faces.

    `unassigned` is null where no truth says who was where: every face would be.
    """
    probes = contents.scenario.probes
    declared: dict[str, str] = {"stills": "each photograph shows one known person"}
    if isinstance(probes, Video):
        declared = {camera.name: _declaration(camera.truth) for camera in probes.cameras}
    ok, faces = pl.col("state") == "ok", pl.col("faces")
    rows = []
    for cell in contents.cells:
        frames = [
            part.group_by("camera").agg(
                frames=pl.len(), undecodable=(pl.col("state") == "undecodable").sum(),
                undelivered=(pl.col("state") == "undelivered").sum(), with_a_face=(ok & (faces > 0)).sum(),
            )
            for part in contents.parts(FRAMES, cell)
        ]  # fmt: skip
        captures = [
            part.group_by("camera").agg(
                faces=pl.len(), without_template=(pl.col("state") == "failed").sum(),
                unassigned=pl.col("transit").is_null().sum(),
            )
            for part in contents.parts(CAPTURES, cell)
        ]  # fmt: skip
        if not frames:
            continue
        shown = pl.concat(frames).group_by("camera").sum()
        found = pl.concat(captures).group_by("camera").sum()
        for row in shown.join(found, "camera", how="left").sort("camera").iter_rows(named=True):
            known = declared.get(row["camera"], MADE_UP if isinstance(probes, Synthetic) else _declaration(None))
            row |= {name: row[name] or 0 for name in ("faces", "without_template", "unassigned")}
            if isinstance(probes, Video) and not known.startswith("truth"):
                row["unassigned"] = None
            rows.append({"system": cell.system.label, "condition": cell.condition_name, **row, "known": known})
    return _frame(rows)


def sweep(contents: Contents) -> pl.DataFrame:
    """What varies between conditions, and everybody's FMR (same group), FNMR, FTA and GFRR at each."""
    rows = []
    grouped = bool(contents.people.attributes)
    for cell in contents.cells:
        wanted = {
            "FMR": contents.figure("FMR", cell, EVERYBODY, SAME_GROUP if grouped else EVERYBODY),
            "FNMR": contents.figure("FNMR", cell),
            "FTA": contents.figure("FTA", cell, point=None),
            "GFRR": contents.figure("GFRR", cell),
        }
        for metric, figure in wanted.items():
            if figure is not None:
                rows.append({
                    "metric": metric, "system": cell.system.label, "condition": cell.condition_name,
                    "people": figure["subjects"], **_numbers(figure),
                })  # fmt: skip
    return _frame(rows)


def distributions(contents: Contents) -> pl.DataFrame:
    """Score distributions of every cell and group, empty bins left out."""
    return _named(contents, contents.distributions.filter(pl.col("comparisons") > 0))


def det(contents: Contents) -> pl.DataFrame:
    """DET curves within groups, thinned to at most CURVE_POINTS steps each."""
    within = contents.curves.filter(pl.col("probe_group") == pl.col("reference_group"))
    key = ["cell", "probe_group"]
    steps = within.with_columns(step=pl.int_range(pl.len()).over(key), of=pl.len().over(key))
    bucket = pl.col("step") * (CURVE_POINTS - 1) // pl.col("of")
    thin = steps.filter(
        (bucket != bucket.shift(1).over(key)).fill_null(value=True) | (pl.col("step") == pl.col("of") - 1)
    )
    return _named(contents, thin.drop("reference_group", "step", "of").rename({"probe_group": "group"}))


def timings(contents: Contents) -> pl.DataFrame:
    """Median and 90th percentile of seconds per frame, by system, condition and stage.

    Frames without a face are left out of what is done to faces: there was nothing to align or to make a template of.
    """
    key = ["cell", "camera", "frame"]
    faces = per_cell(contents, FRAMES).select(*key, "faces")
    frame = per_cell(contents, TIMINGS).join(faces, key, how="left")
    frame = frame.filter(~pl.col("stage").is_in(OF_FACES) | (pl.col("faces") != 0).fill_null(value=True))
    seconds = pl.col("seconds")
    grouped = frame.group_by("cell", "stage").agg(
        frames=pl.len(), p50=seconds.quantile(0.5, "nearest"), p90=seconds.quantile(0.9, "nearest")
    )
    return _named(contents, grouped.sort("cell", "stage"))


def groups(contents: Contents) -> pl.DataFrame:
    """Every group, its size, and who says who belongs to it."""
    rows: list[dict[str, Any]] = []
    for kind, members in {"everybody": [contents.people.everyone()], **contents.kinds()}.items():
        for group in members:
            said = {
                who
                for attribute in group.attributes
                for who in contents.subjects.get_column(f"{attribute}:provenance", default=pl.Series([None])).unique()
            }
            rows.append({
                "kind": kind, "group": group.name, "people": contents.size(group),
                "label_by": ", ".join(sorted(who or "not stated" for who in said)) or None,
            })  # fmt: skip
    return _frame(rows)


def _declaration(truth: Any) -> str:
    if truth is None:
        return "nothing"
    if isinstance(truth, NobodyEnrolled):
        return "nobody enrolled" + (f" ({truth.people} people, counted by eye)" if truth.people else "")
    return "truth file" if truth.names_people else "heads that were annotated, without names"


def _numbers(figure: Figure) -> dict[str, Any]:
    free = figure.get("assumption_free") or (None, None)
    return {
        "value": figure["value"], "low": figure["low"], "high": figure["high"],
        "errors": figure["errors"], "comparisons": figure["comparisons"],
        "assumption_free_low": free[0], "assumption_free_high": free[1],
        "method": figure["method"], "verdict": figure["verdict"],
    }  # fmt: skip


def _flat(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of evidence.json with every object spread over columns."""
    flat: dict[str, Any] = {}
    for name, value in entry.items():
        if name == "assumption_free":
            flat["assumption_free_low"], flat["assumption_free_high"] = value or (None, None)
        elif name == "condition":
            flat["condition"] = value["name"]
        elif isinstance(value, Mapping):
            flat[name] = "; ".join(f"{key}={each}" for key, each in value.items())
        else:
            flat[name] = value
    return flat


def _named(contents: Contents, frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with its column `cell` told as system and condition, in the scenario's order."""
    cells = pl.DataFrame(
        [(cell.id, cell.system.label, cell.condition_name) for cell in contents.cells],
        schema={"cell": pl.String, "system": pl.String, "condition": pl.String}, orient="row",
    )  # fmt: skip
    return cells.join(frame, "cell", how="inner", maintain_order="left_right").drop("cell")


def _frame(rows: Any) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)

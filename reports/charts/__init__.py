"""The charts, as Vega-Lite specifications: drawn in the reader's browser from the page itself, without a network."""

from reports.charts.alerts import precision
from reports.charts.contrasts import contrasts
from reports.charts.det import det
from reports.charts.domain_gap import domain_gap
from reports.charts.enhanced import draws
from reports.charts.forest import forest
from reports.charts.heads import heads
from reports.charts.likelihood import likelihood
from reports.charts.linkage import linkage
from reports.charts.lookups import lookup_growth, top_scores
from reports.charts.maps import acquisition, across
from reports.charts.planning import planning
from reports.charts.reliability import reliability
from reports.charts.reviewers import reviewed_precision, tornado
from reports.charts.scores import scores, scores_by_condition
from reports.charts.searches import cmc, growth
from reports.charts.strangers import strangers
from reports.charts.sweeps import sweep, swept

__all__ = [
    "acquisition",
    "across",
    "cmc",
    "contrasts",
    "det",
    "domain_gap",
    "draws",
    "forest",
    "growth",
    "heads",
    "likelihood",
    "linkage",
    "lookup_growth",
    "planning",
    "precision",
    "reliability",
    "reviewed_precision",
    "scores",
    "scores_by_condition",
    "strangers",
    "sweep",
    "swept",
    "top_scores",
    "tornado",
]

"""The charts, as Vega-Lite specifications: drawn in the reader's browser from the page itself, without a network."""

from reports.charts.det import det
from reports.charts.forest import forest
from reports.charts.maps import acquisition, across
from reports.charts.scores import scores, scores_by_condition
from reports.charts.sweeps import sweep, swept

__all__ = ["acquisition", "across", "det", "forest", "scores", "scores_by_condition", "sweep", "swept"]

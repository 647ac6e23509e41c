"""From tables to figures: rates, intervals, differences between groups. Pure functions of a run's tables."""

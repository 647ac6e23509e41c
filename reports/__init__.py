"""Documents made from a run's tables; no statistic is computed here."""

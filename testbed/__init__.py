"""The experiment: from a scenario file to figures with their uncertainty. Imports nothing."""

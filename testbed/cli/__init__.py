"""The command line: commands, progress bars, and what `testbed doctor` looks at."""

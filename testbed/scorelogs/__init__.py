"""A vendor's score log in, the tables of a run out: a second producer beside replay and matching."""

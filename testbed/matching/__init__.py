"""Enrolment, transits, comparisons: from captures to the counts and tallies that every figure rests on."""

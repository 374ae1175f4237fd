"""Apex read well enough to find faults, tests and what tests reach."""

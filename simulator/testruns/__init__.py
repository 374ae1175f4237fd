"""Apex tests run for themselves, outside deployments: runs, their results over time, coverage."""

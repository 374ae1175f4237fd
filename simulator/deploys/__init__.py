"""Deployments: what they would do, how they move with time and what they leave behind."""

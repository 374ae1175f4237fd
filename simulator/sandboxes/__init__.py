"""Sandboxes of a production org: created, refreshed, activated, discarded, deleted over time."""

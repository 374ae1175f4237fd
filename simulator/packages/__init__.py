"""Managed packages as their publisher sees them: versions, subscribers, push upgrades."""

"""Orgs, users, connected apps and sessions."""

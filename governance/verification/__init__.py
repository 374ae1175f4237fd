"""Verifying an exported history. ``verify.py`` travels with it and imports nothing of ours."""

"""Makers of rows for tests of several packages."""

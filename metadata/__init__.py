"""Metadata and Git: mirrors, source format, packages, composition. No Django, no database."""

"""Pure rules of releases: no Django, no I/O."""

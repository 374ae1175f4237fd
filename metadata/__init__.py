"""Git mirrors, source format, packages, composition and differences. No Django, no database."""

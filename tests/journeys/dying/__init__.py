"""An app that kills its worker process at one named place; for tests of what is left then."""

"""An app with kinds of work that only tests know; real worker processes load it."""

"""The operator's own port: JSON and one page for people."""

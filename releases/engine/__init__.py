"""The deployment engine: remote calls outside transactions, written down by ``services.steps``."""

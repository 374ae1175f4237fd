"""Inbound edges: webhooks of Git hosts and the health check."""

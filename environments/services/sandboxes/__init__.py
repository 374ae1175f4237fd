"""Sandboxes: what production lists, requests about them, and carrying these out."""

"""Salesforce's own clients against the simulator; started by script/conformance, not by pytest."""

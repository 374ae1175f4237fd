"""People, policies, approvals, history and notices. Knows nothing of the apps above it."""

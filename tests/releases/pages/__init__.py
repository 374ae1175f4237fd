"""Pages of releases, builds, candidates and deployments."""

"""Sources, builds, candidates, releases, the gate and the deployment engine."""

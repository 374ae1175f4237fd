"""Services of releases: one function per change, permission, rule, write and audit together."""

"""Evidence: what happened, as files that an auditor can check without trusting Gatehouse."""

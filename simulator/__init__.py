"""Play Salesforce orgs on this machine, over the protocols that Salesforce's own clients speak."""

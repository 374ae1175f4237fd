"""What people type on the pages of this app; the rules live in the services."""

"""Where checkpoints go, outside the database."""

"""Ground floor: errors, machines, digests, time, actors and storage shared by every package."""

"""Recovery of a database that is unavailable, damaged, deleted or replaced while the daemon runs."""

"""Commands on the daemon, its configuration and its service."""

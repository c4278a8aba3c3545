"""Commands for the daemon, its configuration and its systemd unit."""

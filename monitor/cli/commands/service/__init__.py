"""Service commands: daemon, configuration and systemd unit."""

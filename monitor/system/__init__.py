"""Operating system services: logging, atomic file writes, systemd unit."""

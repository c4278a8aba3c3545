"""Service of systemd: its unit, installation and removal."""

"""Daemon process: lifecycle, scheduler, signals and notifications to systemd."""

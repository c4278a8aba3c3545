"""Processes: those that use most resources, read directly or by a companion service."""

"""Queries: database reads shared by commands, daemon and web server."""

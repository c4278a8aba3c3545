"""Database reads shared by commands, daemon and web server."""

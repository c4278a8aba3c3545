"""HTML page."""

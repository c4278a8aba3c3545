"""HTML page: Jinja2 templates, their filters and the static files."""

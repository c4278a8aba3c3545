"""Reader of web.config.yml."""

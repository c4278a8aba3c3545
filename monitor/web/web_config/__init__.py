"""Web configuration file: reader of web.config.yml, in the format of Prometheus."""

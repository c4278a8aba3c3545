"""Reader of web.config.yml, the web configuration file format of Prometheus."""

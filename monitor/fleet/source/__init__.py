"""Source of a fleet: samples of every host of a server with the Prometheus API."""

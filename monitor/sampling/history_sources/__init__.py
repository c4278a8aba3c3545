"""Sources of past samples other than CSV: Prometheus, its JSON files, sadf."""

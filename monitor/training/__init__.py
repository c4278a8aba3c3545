"""Training and evaluation runs over stored samples and traces."""

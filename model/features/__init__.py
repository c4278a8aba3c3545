"""Features, labels and datasets from samples."""

"""Features, labels and datasets computed from samples."""

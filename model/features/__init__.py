"""Feature computation: features, labels and datasets from samples."""

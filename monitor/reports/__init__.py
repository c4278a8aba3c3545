"""Reports for people: one renderer per document, for terminals and plain text."""

"""Samples: repository, arrays, and merging of imported rows."""

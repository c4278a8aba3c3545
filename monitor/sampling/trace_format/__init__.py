"""Format of trace files: text, separators, header, times and cells."""

"""Training diagnostics: gradient health, gradient check and fit report."""

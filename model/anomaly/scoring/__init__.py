"""Anomaly scoring: averages, tail probabilities and score parts of the rows of one host."""

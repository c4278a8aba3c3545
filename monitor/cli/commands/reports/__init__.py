"""Commands that report: predictions, scores, anomalies."""

"""Commands that report: status, predictions, scores, anomalies, maintenance windows."""

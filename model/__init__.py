"""Mathematics of prediction and anomaly detection: NumPy networks, features, calibration, scores, promotion gate."""

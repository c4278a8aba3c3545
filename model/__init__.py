"""Mathematics of the forecasts and anomalies: networks in NumPy, features, calibration, scores, gate."""

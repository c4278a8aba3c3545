"""The mathematics: networks in NumPy, features, labels, calibration, scores and the gate."""

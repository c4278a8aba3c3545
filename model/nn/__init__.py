"""Feed-forward neural networks in NumPy."""

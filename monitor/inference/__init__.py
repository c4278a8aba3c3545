"""Live predictions: the serving model, its forecasts and their explanations."""

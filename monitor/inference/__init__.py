"""Live predictions of the serving model."""

"""Configuration of the capacity predictions."""

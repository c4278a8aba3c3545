"""Fitting, evaluating and promoting predictors."""

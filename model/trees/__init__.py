"""Boosted trees: gradient boosting of shallow decision trees."""

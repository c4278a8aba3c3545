"""Training of predictors: fit, evaluation, promotion and backtest."""

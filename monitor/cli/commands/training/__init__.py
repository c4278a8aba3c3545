"""Commands for models: train, manage, backtest."""

"""Commands on models: train, manage, backtest."""

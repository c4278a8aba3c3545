"""Training runs: training, replay and backtest over stored samples and traces."""

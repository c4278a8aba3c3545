"""Tasks and examples of the network benchmarks."""

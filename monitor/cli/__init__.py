"""Command-line interface: parse arguments, call the packages below, print the result."""

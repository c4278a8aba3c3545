"""Command-line interface: parse the arguments, run a command, print its result."""

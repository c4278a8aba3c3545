"""Fuzz tests: mutated inputs, in a child process with bounded memory and a bounded number of steps."""

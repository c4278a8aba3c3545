"""Settings of all tests: generated inputs are the same in every run, and no example has a time limit."""

from hypothesis import settings

# `--hypothesis-profile=search` looks for new counterexamples: random inputs, and many more of them.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("repeatable")

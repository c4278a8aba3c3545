"""Settings of all tests: a single BLAS thread, and generated inputs that are the same in every run."""

import os

import pytest
from hypothesis import settings

# NumPy reads these variables when it is imported, which is later. Commands set them too.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

# No example has a time limit.
# `--hypothesis-profile=search` looks for new counterexamples: random inputs, and many more of them.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server for all tests of this process; each test uses a host of its own, and leaves it running."""
    # NumPy must not be imported before the variables above are set.
    from tests.postgresql import postgres_server  # noqa: PLC0415

    with postgres_server() as running:
        yield running

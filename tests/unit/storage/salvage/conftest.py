"""Fixtures of the salvage tests: a database with models and samples, and its damage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from storage import ModelRegistry, Sample, SampleRepository, TrainingOutcome, TrainingRun, TrainingRunRepository
from storage.database import open_database
from storage.salvage import DatabaseImage, TableReader

PAGE = 4096
SAMPLES = 2000
BLOBS = tuple(bytes([number]) * 20_000 for number in (1, 2))


def write_page(path: Path, number: int, content: bytes) -> None:
    """Overwrite the start of a page, counted from 1."""
    with path.open("r+b") as file:
        file.seek((number - 1) * PAGE)
        file.write(content)


@pytest.fixture
def file(url: str, tmp_path: Path) -> Path:
    """A database with two models in overflow pages, a training run and samples in two levels of pages."""
    with open_database(url) as database:
        registry = ModelRegistry(database)
        for number, blob in enumerate(BLOBS):
            registry.promote(registry.register(blob, f'{{"number": {number}}}', 100.0 + number), 200.0 + number)
        run = TrainingRun(10.0, 20.0, TrainingOutcome.PROMOTED, "", 2, '{"run": 1}')
        TrainingRunRepository(database).append(run)
        samples = (Sample(1000.0 + second, cpu_usage=second / SAMPLES) for second in range(SAMPLES))
        SampleRepository(database).append_many(samples)
    return tmp_path / "x.db"


@pytest.fixture
def sample_page(file: Path) -> int:
    """The number of a leaf page of the samples, not the first page of the file."""
    content = file.read_bytes()
    return next(
        offset // PAGE + 1
        for offset in range(20 * PAGE, len(content), PAGE)
        if content[offset] == 0x0A and int.from_bytes(content[offset + 3 : offset + 5], "big") > 20
    )


@pytest.fixture
def read(file: Path) -> Callable[..., list[dict[str, object]]]:
    """A function that reads a table of the file, and checks that the file is not changed."""

    def rows(name: str) -> list[dict[str, object]]:
        before = file.read_bytes()
        names = sorted(file.parent.iterdir())
        with DatabaseImage(file) as image:
            result = [row for _, row in TableReader(image).rows(name)]
        assert file.read_bytes() == before
        assert sorted(file.parent.iterdir()) == names
        return [dict(row) for row in result]

    return rows

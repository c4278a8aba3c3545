"""Text forms of the configuration: generated files and the effective values."""

import runpy
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.config.loader import Config, load_config, read_config
from monitor.config.reference import default_file, effective_values, to_toml
from monitor.config.schema import SECTIONS

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[4]


def test_committed_files_are_generated_from_the_schema():
    files = runpy.run_path(str(ROOT / "scripts" / "make_config.py"))["generated_files"]()
    assert len(files) == 5
    assert [path.name for path, content in files.items() if path.read_text() != content] == [], "run `make config`"


def test_default_file_means_the_defaults(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(default_file())
    config = load_config(path)
    assert all(getattr(config, name) == getattr(Config(), name) for name in SECTIONS)


def test_to_toml_reads_back_as_the_same_configuration():
    text = """
        [high_load]
        rules = [{ cpu_usage = 0.5, memory_usage = "p95" }]
        horizons = ["90s", "1h30m"]
        [training]
        layers = []
        gradient_clip = 0
        [anomaly]
        maintenance = ["sun 02:00-04:00"]
    """
    config, problems = read_config(tomllib.loads(text))
    assert problems == []
    assert read_config(tomllib.loads(to_toml(config))) == (config, [])


def test_effective_values_are_plain_data_in_seconds():
    values = effective_values(Config())
    assert list(values) == list(SECTIONS)
    assert values["high_load"]["horizons"] == [300.0, 900.0, 3600.0]
    assert values["high_load"]["rules"] == [[["cpu_usage", 0.85]], [["cpu_usage", 0.6], ["memory_usage", 0.8]]]


def test_text_forms_redact_credentials():
    config = replace(Config(), storage=replace(Config().storage, url="sqlite://u:secret@h/db"))
    assert effective_values(config)["storage"]["url"] == "sqlite://***@h/db"
    assert "secret" not in to_toml(config)

"""Every wrong key is named with its file, all at once; what is not set has its documented default."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from model.nn.fit_config import FitConfig
from model.training.settings import Recipe
from monitor.config.durations import parse_duration
from monitor.config.loader import (
    HEAD,
    Config,
    default_state_directory,
    find_config,
    load_config,
    read_config,
    render,
)
from monitor.config.schema import SECTIONS
from monitor.errors import ConfigError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


def problems(text):
    return read_config(tomllib.loads(text))[1]


def test_the_shipped_file_is_made_from_the_one_source_and_means_the_defaults():
    shipped = ROOT / "config.toml"
    assert shipped.read_text() == HEAD + render(Config(), comments=True), "run `make config`"
    config = load_config(shipped)
    assert all(getattr(config, name) == getattr(Config(), name) for name in SECTIONS)


def test_every_key_says_what_it_means_and_its_default():
    for section in SECTIONS.values():
        for field in fields(section):
            assert field.metadata["help"].endswith((".", "exposed; default true.", "sample.", "1")), field.name
            assert "efault" in field.metadata["help"] or field.name == "rules", field.name


def test_what_is_in_effect_reads_back_as_itself():
    text = """
        [high_load]
        rules = [{ cpu_usage = 0.5, memory_usage = "p95" }]
        horizons = ["90s", "1h30m"]
        [training]
        layers = []
        gradient_clip = 0
    """
    config, wrong = read_config(tomllib.loads(text))
    assert wrong == []
    assert config.high_load.rules == ((("cpu_usage", 0.5), ("memory_usage", "p95")),)
    assert config.high_load.horizons == (90.0, 5400.0)
    assert read_config(tomllib.loads(render(config))) == (config, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[trainig]\n", "trainig: unknown section; did you mean 'training'?"),
        ("[training]\nlayrs = [3]", "training.layrs: unknown key; did you mean 'layers'?"),
        ("training = 3", "training: must be a table"),
        ("[sampling]\ninterval = 5", "sampling.interval: must be a duration"),
        ('[sampling]\ninterval = "5 s"', "sampling.interval: '5 s' is not a duration"),
        ('[sampling]\ninterval = "0.5s"', "sampling.interval: must be at least 1s"),
        ('[sampling]\nsources = ["cpu", "gpu"]', "sampling.sources: 'gpu' is not one of cpu"),
        ("[high_load]\nrules = []", "high_load.rules: must be a list of at least one table"),
        ("[high_load]\nrules = [{}]", "high_load.rules: must be a list of at least one table"),
        ("[high_load]\nrules = [{ cpu = 0.8 }]", "high_load.rules: 'cpu' is not a metric"),
        (
            "[high_load]\nrules = [{ cpu_usage = 0 }]",
            "high_load.rules: the bound of cpu_usage must be a number above 0",
        ),
        ('[high_load]\nrules = [{ cpu_usage = "95" }]', "high_load.rules: the bound of cpu_usage"),
        ("[high_load]\nhorizons = []", "high_load.horizons: must be a list of durations"),
        ('[high_load]\nhorizons = ["15m", "5m"]', "high_load.horizons: must be in increasing order"),
        ('[high_load]\nhorizons = ["2s"]', "high_load.horizons: 2 s is shorter than sampling.interval (5 s)"),
        ("[warning]\nprecision = 1.5", "warning.precision: must be above 0 and at most 1"),
        ("[training]\nepochs = true", "training.epochs: must be a whole number"),
        ("[training]\nlayers = [64, 0]", "training.layers: must be at least 1"),
        ("[high_load]\nrules = [{ cpu_usage = 85 }]", "high_load.rules: the bound of cpu_usage is a ratio, 0 to 1"),
        ('[sampling]\nsources = ["memory"]', "high_load.rules: cpu_usage is not sampled"),
        ('[training]\nhistory = "1h"', "training.history: must be at least training.min_history"),
        ('[storage]\nurl = "mysql://x"', "storage.url: must look like"),
        ('[storage]\nretention = "1h"', "storage.retention: must be at least training.min_history"),
        ('[web]\nlisten = "10190"', "web.listen: must look like"),
        ('[web]\nlisten = "127.0.0.1:99999"', "web.listen: port 99999 is above 65535"),
        ('[log]\nlevel = "loud"', "log.level: must be one of debug"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(text, words):
    assert [problem for problem in problems(text) if problem.startswith(words)], problems(text)


def test_all_problems_are_told_at_once_with_the_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[log]\nlevel = "loud"\n[web]\nlisten = 3\n')
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert [problem.split(": ")[:2] for problem in caught.value.problems] == [
        [str(path), "web.listen"],
        [str(path), "log.level"],
    ]


@pytest.mark.parametrize("content", [None, b"[web\n", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=str(path)):
        load_config(path)


def test_the_file_is_looked_for_in_the_documented_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config("a.toml", {"MONITOR_CONFIG": "b.toml"}) == Path("a.toml")
    assert find_config(None, {"MONITOR_CONFIG": "b.toml"}) == Path("b.toml")
    (tmp_path / "config.toml").touch()
    assert find_config(None, {}) == Path("config.toml")


def test_the_database_lives_where_this_process_may_write(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_state_directory({"STATE_DIRECTORY": "/var/lib/x"}) == Path("/var/lib/x")
    assert default_state_directory({"XDG_STATE_HOME": "/home/u/s"}) == Path("/home/u/s/monitor")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_state_directory({}) == Path("/var/lib/monitor")


def test_every_key_says_what_it_takes_and_takes_what_it_shows():
    for section in SECTIONS.values():
        for option in fields(section):
            known = option.metadata
            assert known["takes"], option.name
            for shown in (known["example"], known["write"](option.default)):
                # empty texts stand for a default that is worked out
                if shown not in ("", '""'):
                    known["read"](tomllib.loads(f"key = {shown}")["key"])


@pytest.mark.parametrize(
    ("text", "seconds"), [("15s", 15), ("5m", 300), ("1h30m", 5400), ("30d", 2_592_000), ("1.5h", 5400)]
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5w", "5m!"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_what_is_configured_for_a_training_reaches_it_and_the_defaults_are_its_own():
    assert Config().training.recipe == Recipe()
    configured = {"layers": [8], "activation": "tanh", "dropout": 0.5, "optimizer": "sgd", "epochs": 3}
    fit = FitConfig(optimizer="sgd", epochs=3, patience=0, keep_best=False)
    assert read_config({"training": configured})[0].training.recipe == Recipe(8, (8,), "tanh", 0.5, fit)
    stopping = read_config({"training": {"patience": 3}})[0].training.recipe.fit
    assert (stopping.patience, stopping.keep_best) == (3, True)

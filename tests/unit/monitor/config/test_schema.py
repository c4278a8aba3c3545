"""Sections of config.toml: descriptions, defaults, and the settings made from them."""

import tomllib
from dataclasses import fields

import pytest

from model.nn.fit_config import FitConfig
from model.training.settings import Recipe
from monitor.config.loader import Config, read_config
from monitor.config.options import option_of
from monitor.config.schema import SECTIONS
from monitor.config.web_section import WebSection

pytestmark = pytest.mark.unit

KEYS = [(f"{name}.{key.name}", key) for name, section in SECTIONS.items() for key in fields(section)]


@pytest.mark.parametrize(("path", "key"), KEYS, ids=[path for path, _ in KEYS])
def test_key_has_a_description_and_accepts_its_default_and_example(path, key):
    details = option_of(key)
    assert details.description.endswith(".")
    assert details.takes
    for text in (details.example, details.write(key.default)):
        # An empty string stands for a default that is computed.
        if text not in ("", '""'):
            details.read(tomllib.loads(f"key = {text}")["key"])


def test_recipe_of_the_defaults_is_the_default_recipe():
    assert Config().training.recipe == Recipe()


def test_recipe_has_the_configured_values():
    values = {"layers": [8], "activation": "tanh", "dropout": 0.5, "optimizer": "sgd", "epochs": 3}
    fit = FitConfig(optimizer="sgd", epochs=3, patience=0, keep_best=False)
    expected = Recipe(networks=6, layers=(8,), activation="tanh", dropout=0.5, fit=fit)
    assert read_config({"training": values})[0].training.recipe == expected


def test_recipe_keeps_the_best_epoch_only_with_patience():
    fit = read_config({"training": {"patience": 3}})[0].training.recipe.fit
    assert (fit.patience, fit.keep_best) == (3, True)


@pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1:10190", ("127.0.0.1", 10190)), ("[::1]:80", ("::1", 80)), ("host:1", ("host", 1))],
)
def test_address_splits_host_and_port(listen, address):
    assert WebSection(listen=listen).address == address

"""Ansible role: syntax, variables and their description."""

import pytest
import yaml

from .deploy_tools import deploy_tool
from .installing import ROOT
from .systemd_box import run

pytestmark = pytest.mark.integration

ANSIBLE = ROOT / "deploy/ansible"
ROLE = ANSIBLE / "roles/monitor"


def loaded(name):
    return yaml.safe_load((ROLE / name).read_text())


def test_role_passes_syntax_check():
    playbook = deploy_tool("ansible-playbook")
    run(playbook, "--syntax-check", "--inventory", "localhost,", ANSIBLE / "site.yml")


def test_role_describes_each_variable_with_its_default():
    described = loaded("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {name: option["default"] for name, option in described.items()} == loaded("defaults/main.yml")
    page = (ROOT / "docs/how-to/ansible.md").read_text()
    assert [name for name in described if f"`{name}`" not in page] == []

"""The project built and installed as its users get it, without a checkout behind it."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from monitor import DISTRIBUTION

ROOT = Path(__file__).parents[2]


def made(directory, names):
    """Those in a directory that are not part of the project, or hidden."""
    at_root = {"build", "dist"} if Path(directory) == ROOT else set()
    ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "*.egg-info")
    return ignored(str(directory), names) | at_root.intersection(names)


def copied(directory, version=None):
    """A copy of the checkout: building writes beside what it reads. With another version if given."""
    shutil.copytree(ROOT, directory, ignore=made)
    if version is not None:
        project = directory / "pyproject.toml"
        text, changed = re.subn(r'^version = ".*"$', f'version = "{version}"', project.read_text(), flags=re.M)
        assert changed == 1
        project.write_text(text)
    return directory


def built(source, into, *what):
    """What `python -m build` makes of it."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", into, *what, source]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(into.iterdir())


def needed(name=DISTRIBUTION):
    """The names of all that must be installed beside it."""
    found, asked = set(), [name]
    while asked:
        for text in distribution(asked.pop()).requires or ():
            requirement = Requirement(text)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and requirement.name not in found:
                found.add(requirement.name)
                asked.append(requirement.name)
    return found


def environment(directory):
    """A virtual environment that holds what monitor needs and nothing else, copied from this one: no network."""
    subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", directory], check=True)
    site = next(directory.glob("lib/python3*/site-packages"))
    for name in needed():
        for file in distribution(name).files:
            # what lies outside, such as its scripts, nobody calls
            if ".." not in file.parts and "__pycache__" not in file.parts:
                there = site / file
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), there)
    return directory


def install(environment_, wheel):
    """The wheel in place of what is there."""
    pip = [sys._base_executable, "-m", "pip", "--disable-pip-version-check", "--python", environment_ / "bin/python"]
    command = [*pip, "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall", wheel]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def outside(environment_):
    """The variables of a process that is to see nothing of the checkout."""
    kept = {name: os.environ[name] for name in ("LANG", "TZ") if name in os.environ}
    return {**kept, "PATH": f"{environment_}/bin:/usr/bin:/bin"}


def foreign_packages(directory):
    """Create packages `model` and `storage` in a directory, which end the process that imports them."""
    for name in ("model", "storage"):
        (directory / name).mkdir(parents=True)
        (directory / name / "__init__.py").write_text(f"raise SystemExit('foreign package {name} was imported')\n")
    return directory

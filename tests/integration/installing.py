"""Helpers that build and install the project without its checkout."""

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


def ignored_names(directory, names):
    """Return the names in a directory that are hidden or generated."""
    at_root = {"build", "dist"} if Path(directory) == ROOT else set()
    ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "*.egg-info")
    return ignored(str(directory), names) | at_root.intersection(names)


def copied(directory, version=None):
    """Copy the checkout, as a build writes into its source, and set another version if given."""
    shutil.copytree(ROOT, directory, ignore=ignored_names)
    if version is not None:
        project = directory / "pyproject.toml"
        text, changed = re.subn(r'^version = ".*"$', f'version = "{version}"', project.read_text(), flags=re.M)
        assert changed == 1
        project.write_text(text)
    return directory


def built(source, into, *what):
    """Build with `python -m build` and return the files."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", into, *what, source]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(into.iterdir())


def needed(name=DISTRIBUTION):
    """Return the names of all required distributions."""
    result, queue = set(), [name]
    while queue:
        for text in distribution(queue.pop()).requires or ():
            requirement = Requirement(text)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and requirement.name not in result:
                result.add(requirement.name)
                queue.append(requirement.name)
    return result


def environment(directory):
    """Create a virtual environment with the required distributions, copied from the present one."""
    subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", directory], check=True)
    site = next(directory.glob("lib/python3*/site-packages"))
    for name in needed():
        for file in distribution(name).files:
            # Files outside site-packages, such as scripts, are not needed.
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), target)
    return directory


def install(environment_, wheel):
    """Install a wheel, replacing an installed version."""
    pip = [sys._base_executable, "-m", "pip", "--disable-pip-version-check", "--python", environment_ / "bin/python"]
    command = [*pip, "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall", wheel]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def outside(environment_):
    """Return environment variables without traces of the checkout."""
    kept = {name: os.environ[name] for name in ("LANG", "TZ") if name in os.environ}
    return {**kept, "PATH": f"{environment_}/bin:/usr/bin:/bin"}


def foreign_packages(directory):
    """Create packages `model` and `storage` in a directory, which end the process that imports them."""
    for name in ("model", "storage"):
        (directory / name).mkdir(parents=True)
        (directory / name / "__init__.py").write_text(f"raise SystemExit('foreign package {name} was imported')\n")
    return directory

"""Build: `model` and `storage` become private parts of the package `monitor`; files for operators come along.

The names `model` and `storage` are generic, and other distributions install packages of the same names. A wheel
carries them as `monitor/_lib/model` and `monitor/_lib/storage`; `monitor/__init__.py` makes them importable.
"""

import shutil
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py

PRIVATE = ("model", "storage")
ASSETS = (
    "man/*.1",
    "mixin/*.*",
    "mixin/*/*.libsonnet",
    "monitor.service",
    "monitor-fleet.service",
    "monitor-processes*",
    "prometheus/*.yml",
    "grafana/dashboards/*.json",
    "grafana/provisioning/*/*.yml",
)
"""Files under deploy/ that `monitor assets` writes."""


def packages_of(name: str) -> list[str]:
    """Return the dotted names of a top-level package and of all directories below it, data included."""
    below = find_namespace_packages(name, exclude=["*__pycache__*"])
    return [name, *(f"{name}.{package}" for package in below)]


class BuildWithAssets(build_py):
    """Copy the files for operators into the built package."""

    def run(self) -> None:
        """Build the packages without files of an earlier build, then add `monitor/data/assets`."""
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        source = Path("deploy")
        target = Path(self.build_lib) / "monitor" / "data" / "assets"
        for pattern in ASSETS:
            for file in sorted(source.glob(pattern)):
                copy = target / file.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


setup(
    packages=[
        *packages_of("monitor"),
        *(f"monitor._lib.{package}" for name in PRIVATE for package in packages_of(name)),
    ],
    package_dir={f"monitor._lib.{name}": name for name in PRIVATE},
    cmdclass={"build_py": BuildWithAssets},
)

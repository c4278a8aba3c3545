"""Commands on the daemon and what it stands on."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from monitor.cli.commands.common import answer, config_of
from monitor.errors import EXIT_DONE, ConfigError
from monitor.reports.blocks import Line, Report, Tone, Toned


def run(arguments: argparse.Namespace) -> int:
    from monitor.daemon import lifecycle as daemon  # noqa: PLC0415

    daemon.run(config_of(arguments))
    return EXIT_DONE


def check_config(arguments: argparse.Namespace) -> int:
    from monitor.config.loader import document, find_config, load_checked, render  # noqa: PLC0415

    path = find_config(arguments.file or arguments.config, os.environ)
    try:
        config = load_checked(path)
    except ConfigError as error:
        if arguments.json:
            print(json.dumps({"file": str(path), "problems": error.problems}))
        raise
    lines = [f"# {path or 'no file: the defaults'}", *render(config).splitlines()]
    tones: dict[str, Tone] = {"#": "faint", "[": "heading"}
    report = Report(tuple(Line((Toned(line, tones.get(line[:1])),), exact=True) for line in lines))
    answer(arguments, {"file": str(path) if path else None, "problems": [], "config": document(config)}, report)
    return EXIT_DONE


def doctor(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict  # noqa: PLC0415

    from monitor.config.loader import find_config, load_config  # noqa: PLC0415
    from monitor.doctor import examine, examine_without, exit_code, report  # noqa: PLC0415

    try:
        results = examine(load_config(find_config(arguments.config, os.environ)), time.time())
    except ConfigError as error:
        results = examine_without(error.problems)
    answer(arguments, [asdict(result) for result in results], report(results))
    return exit_code(results)


def install_service(arguments: argparse.Namespace) -> int:
    from monitor.system.systemd_unit import CONFIG, install, running_program, unit_text, unreadable  # noqa: PLC0415

    program = running_program()
    config = Path(arguments.config).absolute() if arguments.config else CONFIG
    if not arguments.print:
        print("\n".join(install(program, config)))
        return EXIT_DONE
    for problem in unreadable((*program.needs, config)):
        print(f"monitor: {problem}", file=sys.stderr)
    print(unit_text(program, config), end="")
    return EXIT_DONE


def uninstall_service(arguments: argparse.Namespace) -> int:  # noqa: ARG001
    from monitor.system.systemd_unit import uninstall  # noqa: PLC0415

    print("\n".join(uninstall()))
    return EXIT_DONE

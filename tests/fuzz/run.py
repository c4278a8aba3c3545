"""Fuzz run in a process of its own: `python -m tests.fuzz.run TARGET SEED COUNT`; prints the failures as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from random import Random

from tests.fuzz.limits import limit_process, limited_steps
from tests.fuzz.targets import MAX_MESSAGE, OWN_ERRORS, Target, target_of


def failure_of(target: Target, path: Path, random: Random) -> str:
    """Read one input; return the failure in a line, or an empty text."""
    try:
        with limited_steps():
            target.read(path, random)
    except OWN_ERRORS as error:
        message = str(error)
        if len(message) > MAX_MESSAGE or not message.strip():
            return f"message of {len(message)} characters"
        try:
            message.encode()
        except UnicodeEncodeError:
            return "message that cannot be printed"
    except BaseException as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if "-packages" not in frame.filename]
        place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "?"
        return f"{type(error).__name__} at {place}: {str(error)[:200]}"
    return ""


def main(name: str, seed: int, count: int) -> None:
    """Read `count` mutated inputs of a target, and print each distinct failure with its first input."""
    target = target_of(name)
    warnings.simplefilter("error")
    random = Random(seed)
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "input"
        limit_process()
        for _ in range(count):
            data = target.mutate(random, target.seeds)
            path.write_bytes(data)
            failure = failure_of(target, path, random)
            if failure:
                failures.setdefault(failure, repr(data[:400]))
    sys.stdout.write(json.dumps(failures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

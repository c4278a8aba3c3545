"""Schema upgrade program: `python -m storage.migrations.upgrade URL [REVISION]`, run in a separate process."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from storage.database import open_database
from storage.errors import StorageError
from storage.migrations.runner import EXIT_REFUSED, HEAD


def upgrade(url: str, revision: str = HEAD) -> None:
    """Upgrade the schema in one transaction.

    Args:
        url: URL of the database.
        revision: revision to upgrade to.

    Raises:
        StorageError: the database cannot be opened or migrated.
    """
    config = Config()
    # Config interpolates values like an INI file, so a literal % is written as %%.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    with open_database(url, migrate=False) as database, database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def main(arguments: list[str]) -> int:
    """Upgrade the database whose URL is the first argument, and return the exit status."""
    if len(arguments) not in (1, 2):
        print("usage: python -m storage.migrations.upgrade URL [REVISION]", file=sys.stderr)  # noqa: T201
        return 2
    try:
        upgrade(*arguments)
    except StorageError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return EXIT_REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

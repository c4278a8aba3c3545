"""`python -m storage.migrate URL`: upgrades a database to this release's schema, and ends.

The only module that imports Alembic.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from storage.database import open_database
from storage.errors import StorageError
from storage.migration_runner import HEAD


def upgrade(url: str, revision: str = HEAD) -> None:
    """Upgrades in one transaction: whole or not at all.

    Raises:
        StorageError: the database cannot be opened or migrated.
    """
    config = Config()
    # Config reads its values as an INI file does, where a lone % begins an interpolation.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    with open_database(url, migrate=False) as database, database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def main(arguments: list[str]) -> str | None:
    """The line to end with on standard error, or None when all went well."""
    if len(arguments) != 1:
        return "usage: python -m storage.migrate URL"
    try:
        upgrade(arguments[0])
    except StorageError as error:
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Schema of the database, changed by another program."""

from contextlib import contextmanager

from tests.faults.cases.damage import IDENTITY_BOUND, REPLACES
from tests.faults.injectors.trained import execute
from tests.faults.scenarios import assert_outlives, assert_replaces
from tests.faults.table import case


def assert_schema_replaced(lab, *statements):
    """Execute statements while the daemon runs, and assert that it continues in a new file."""
    daemon = lab.daemon().start()

    def change():
        for statement in statements:
            execute(daemon.database, statement)

    return assert_replaces(daemon, change)


@case("table of the samples dropped, while running", "DROP TABLE samples", 4, REPLACES)
def samples_dropped(lab):
    return assert_schema_replaced(lab, "DROP TABLE samples")


@case("column renamed, while running", "ALTER TABLE samples RENAME COLUMN cpu_usage", 4, REPLACES)
def column_renamed(lab):
    return assert_schema_replaced(lab, "ALTER TABLE samples RENAME COLUMN cpu_usage TO cpu")


@case(
    "view in place of a table, while running",
    "predictions renamed, and a view with its name created",
    4,
    REPLACES,
    bound=IDENTITY_BOUND,
)
def view_instead_of_table(lab):
    return assert_schema_replaced(
        lab, "ALTER TABLE predictions RENAME TO other", "CREATE VIEW predictions AS SELECT * FROM other"
    )


@case(
    "tables without frequent use dropped, while running",
    "DROP TABLE maintenance_windows and alembic_version",
    4,
    REPLACES,
    bound=IDENTITY_BOUND,
)
def rare_tables_dropped(lab):
    return assert_schema_replaced(lab, "DROP TABLE maintenance_windows", "DROP TABLE alembic_version")


@contextmanager
def trigger(database, action):
    """Let a trigger refuse or ignore new samples for a `with` block."""
    execute(database, f"CREATE TRIGGER refusal BEFORE INSERT ON samples BEGIN SELECT RAISE({action}); END")
    try:
        yield
    finally:
        execute(database, "DROP TRIGGER refusal")


@case(
    "trigger that refuses or ignores samples",
    "CREATE TRIGGER with RAISE(FAIL), then RAISE(IGNORE)",
    1,
    "samples wait in memory, and are stored once the trigger is removed",
)
def trigger_on_samples(lab):
    daemons = {action: lab.daemon() for action in ("FAIL, 'no'", "IGNORE")}
    return max(
        assert_outlives(daemon.start(), trigger(daemon.database, action)) for action, daemon in daemons.items()
    )

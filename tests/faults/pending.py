"""Cases that do not hold yet, with the reason."""

QUARANTINE = "a database that cannot be used is not moved aside"
IDENTITY = "a deleted or replaced database is not noticed"
STORAGE = "the daemon does not start without storage"
LOCK = "the lock follows the path, not the file"
DESCRIPTORS = "no descriptors are kept in reserve"

PENDING = {
    **dict.fromkeys(
        [
            "directory_at_start",
            "header_at_start",
            "header_while_running",
            "pages_at_start",
            "schema_page_at_start",
            "table_missing_at_start",
            "text_at_start",
            "truncated_at_start",
            "zeros_at_start",
            "zeros_while_running",
            "truncated_while_running",
            "full_disk_during_recovery",
        ],
        QUARANTINE,
    ),
    **dict.fromkeys(
        [
            "moved_while_running",
            "deleted_while_running",
            "deleted_while_locked",
            "directory_deleted",
            "wal_truncated_while_running",
            "wal_deleted_while_running",
        ],
        IDENTITY,
    ),
    **dict.fromkeys(
        [
            "kill_then_eio",
            "no_inodes_at_start",
            "read_only_at_restart",
            "read_only_at_start",
            "stop_on_read_only",
            "disk_full_at_start",
            "eio_at_start",
            "nth_call_fails",
            "stop_while_locked",
            "stop_while_writes_fail",
            "database_of_another_user",
            "every_nth_call_fails",
        ],
        STORAGE,
    ),
    **dict.fromkeys(["lock_file_deleted", "second_through_hard_link", "second_through_link"], LOCK),
    **dict.fromkeys(["no_descriptors", "reload_without_descriptors"], DESCRIPTORS),
    "no_memory": "one log line for each request",
}

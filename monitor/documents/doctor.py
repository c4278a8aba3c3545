"""Doctor document: results of the checks of `monitor doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """Status of a check result; a skipped check could not run."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class CheckId(StrEnum):
    """ID of a check; the results of one check for several items share it."""

    VERSIONS = "versions"
    BLAS_THREADS = "blas_threads"
    CLOCK = "clock"
    SERVICE = "service"
    CONFIGURATION = "configuration"
    SOURCE = "source"
    MEMORY_LIMIT = "memory_limit"
    FLEET_SOURCE = "fleet_source"
    FLEET_FIELD = "fleet_field"
    FLEET_TARGETS = "fleet_targets"
    FLEET_CLOCK = "fleet_clock"
    STATE_DIRECTORY = "state_directory"
    FILE_OWNERS = "file_owners"
    WRITE_ACCESS = "write_access"
    CONFIG_PERMISSIONS = "config_permissions"
    KEY_PERMISSIONS = "key_permissions"
    SECRET_PERMISSIONS = "secret_permissions"  # noqa: S105 - a name
    DAEMON = "daemon"
    WRITES = "writes"
    JOBS = "jobs"
    NEWEST_SAMPLE = "newest_sample"
    SAMPLE_GAPS = "sample_gaps"
    DISK_SPACE = "disk_space"
    INODES = "inodes"
    MOUNT = "mount"
    FILE_SYSTEM = "file_system"
    DATABASE = "database"
    INTEGRITY = "integrity"
    ROWS = "rows"
    WRITE_AHEAD_LOG = "write_ahead_log"
    WRITE_LOCK = "write_lock"
    QUARANTINED_FILES = "quarantined_files"
    UNKNOWN_FILES = "unknown_files"
    PORT = "port"
    EXPOSURE = "exposure"
    MODEL = "model"
    MODEL_TASK = "model_task"
    MODEL_AGE = "model_age"
    MODEL_SPACING = "model_spacing"
    TRAININGS = "trainings"
    GRADIENTS = "gradients"
    LIVE_SKILL = "live_skill"
    INPUT_DRIFT = "input_drift"
    DETECTOR = "detector"
    NOTIFICATIONS = "notifications"
    REMAINING_CHECKS = "remaining_checks"


@dataclass(frozen=True)
class CheckResult:
    """Result of one check.

    Attributes:
        check: ID of the check.
        status: ok, warning, failed or skipped.
        message: finding with its figures, or the reason why the check was skipped.
        fix: command or step that fixes the problem; empty if there is none.
        subject: name of the checked item, for a check of several items such as sources.
    """

    check: CheckId
    status: CheckStatus
    message: str
    fix: str = ""
    subject: str = ""


@dataclass(frozen=True)
class DoctorDocument:
    """Result of `monitor doctor`.

    Attributes:
        checks: result of each check, in the order of the report.
    """

    checks: tuple[CheckResult, ...]

    @property
    def failed(self) -> bool:
        """True if any check failed; warnings do not count."""
        return any(result.status is CheckStatus.FAILED for result in self.checks)

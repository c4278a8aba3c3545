"""`monitor doctor`: looks at everything that a daemon stands on, says what is wrong, and how to mend it."""

from monitor.doctor.results import exit_code, report
from monitor.doctor.runner import examine, examine_without

__all__ = ["examine", "examine_without", "exit_code", "report"]

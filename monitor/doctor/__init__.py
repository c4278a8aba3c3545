"""Doctor: checks of the installation for `monitor doctor`."""

from monitor.doctor.runner import examine, examine_invalid_configuration

__all__ = ["examine", "examine_invalid_configuration"]

"""Watched web.config.yml: reload after a change of the file or of a file it names."""

from __future__ import annotations

import threading
from pathlib import Path

from monitor.errors import ConfigError
from monitor.system.logging import get_logger
from monitor.web.web_config.files import FileReader, file_version
from monitor.web.web_config.loader import WebConfigFile, load_web_config_file

log = get_logger(__name__)


class WatchedWebConfigFile:
    """Last valid contents of a web.config.yml, checked for changes at each call of `current`; thread-safe.

    The file is loaded again if it, or a file that it names, has changed since the last attempt. An invalid version is
    logged once and ignored. A version that enables or disables TLS is ignored as well, so that a mistake in the file
    does not expose passwords; a reload of the configuration (SIGHUP) applies it.
    """

    def __init__(self, path: Path) -> None:
        """Load the web.config.yml at `path`.

        Raises:
            ConfigError: the file is invalid.
        """
        self._path = path
        self._lock = threading.Lock()
        self._current = load_web_config_file(path)
        self._versions = self._current.files

    def current(self) -> WebConfigFile:
        """Return the last valid contents; first load the file again if it or a file that it names has changed."""
        with self._lock:
            changed = any(file_version(path) != version for path, version in self._versions.items())
            if changed:
                reader = FileReader(self._path.parent)
                self._reload(reader)
                self._versions = reader.versions
            return self._current

    def _reload(self, reader: FileReader) -> None:
        try:
            reloaded = load_web_config_file(self._path, reader)
            if (reloaded.tls_context is None) != (self._current.tls_context is None):
                raise ConfigError([f"{self._path}: enabling or disabling TLS needs a reload (SIGHUP)"])
        except ConfigError as error:
            log.error("web configuration reload failed", error=str(error))
        except Exception as error:
            # The endpoint keeps running with the last valid version, whatever the file contains.
            problem = f"{self._path}: cannot be used: {type(error).__name__}: {error}"
            log.error("web configuration reload failed", error=problem)
        else:
            log.info("web configuration reloaded", file=self._path)
            self._current = reloaded

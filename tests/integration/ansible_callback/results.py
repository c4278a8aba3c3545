"""Ansible callback: prints the changed tasks, the failures and the counts of the host as one JSON object."""

import json

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "results"

    def __init__(self):
        super().__init__()
        self._changed, self._failures = [], []

    def v2_runner_on_ok(self, result):
        if result.is_changed():
            # Only some names start with that of the role.
            self._changed.append(result.task_name.rpartition(" : ")[2])

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._failures.append({"task": result.task_name, "result": str(result.result)})

    def v2_playbook_on_stats(self, stats):
        counts = stats.summarize("localhost")
        self._display.display(json.dumps({**counts, "changed_tasks": self._changed, "failed": self._failures}))

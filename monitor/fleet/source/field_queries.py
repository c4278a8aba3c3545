"""Field queries: PromQL expression of each sample field, for all hosts or for some."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from monitor.config.fleet.source_options import SELECTOR_VARIABLE
from monitor.config.fleet.source_section import SourceSection
from monitor.fleet.source.presets import PRESETS
from monitor.fleet.source.presets.promql import HostQueries
from monitor.sampling.history_sources.node_exporter import name_matcher
from monitor.sampling.history_sources.prometheus_host import label_matchers
from storage import SAMPLE_FIELDS


class FieldQueries:
    """Expressions of the fields of a configuration.

    Attributes:
        columns: names of the fields, in the order of a sample.
    """

    def __init__(self, section: SourceSection, network_exclude: Sequence[str] = ()) -> None:
        """Initialize the queries.

        Args:
            section: section [source] of the configuration.
            network_exclude: shell patterns of network interfaces to exclude.
        """
        self._section = section
        self._network_exclude = tuple(network_exclude)
        self._matchers = label_matchers(section.selector)
        self.columns = tuple(name for name in SAMPLE_FIELDS if name in self._templates(""))

    @property
    def own_fields(self) -> frozenset[str]:
        """Fields with an expression in the configuration."""
        return frozenset(dict(self._section.fields))

    def expressions(self, hosts: Collection[str] = ()) -> dict[str, str]:
        """Return the expression for each column, for the given hosts or, without any, for all hosts."""
        names = name_matcher(self._section.host_label, hosts) if hosts else ""
        templates = self._templates(",".join(filter(None, (names, self._matchers))))
        return {name: templates[name] for name in self.columns}

    def _templates(self, matchers: str) -> dict[str, str]:
        """Return the expressions of the preset and the own ones, which replace those of the preset."""
        section = self._section
        queries = HostQueries(matchers, section.host_label, int(section.rate_window), self._network_exclude)
        variables = {
            SELECTOR_VARIABLE: matchers,
            "$__rate_interval": f"{section.rate_window:.0f}s",
            "$__interval": f"{section.step:.0f}s",
        }
        own = {name: _with_variables(text, variables) for name, text in section.fields}
        return PRESETS[section.preset](queries) | own


def _with_variables(expression: str, variables: Mapping[str, str]) -> str:
    """Return an expression with its variables replaced, as $name or ${name}."""
    for name, text in variables.items():
        expression = expression.replace(name, text).replace("${" + name[1:] + "}", text)
    return expression

"""JSON schema generator: schemas of all documents in docs/schemas, from the dataclasses.

Run by `make schemas`; pydantic is a development dependency. A class is described by its docstring, a property by its
entry under `Attributes:`.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from monitor.documents.anomalies import (
    AnomalyDetailsDocument,
    AnomalyDocument,
    MaintenanceDocument,
    MaintenanceEndDocument,
    ProcessSnapshotDocument,
    WarningDocument,
)
from monitor.documents.anomalies.actions import ActionsDocument
from monitor.documents.backtest import BacktestDocument
from monitor.documents.configuration import ChannelTestDocument, ConfigCheckDocument
from monitor.documents.doctor import DoctorDocument
from monitor.documents.fleet import (
    FleetDocument,
    FleetHostDetailsDocument,
    FleetReportDocument,
    FleetStatusDocument,
    FleetWarningDocument,
)
from monitor.documents.history import HistoryDocument
from monitor.documents.models import (
    ActivationDocument,
    ModelDocument,
    ModelExportDocument,
    ModelImportDocument,
    ModelListEntry,
)
from monitor.documents.prediction import PredictionDocument
from monitor.documents.salvage import SalvageDocument
from monitor.documents.scores import ScorecardDocument, ScoreReportDocument
from monitor.documents.status import StatusDocument
from monitor.documents.status.capacity import CapacityDocument
from monitor.documents.storage import MigrationDocument
from monitor.documents.traces import PurgeDocument, TraceImportDocument
from monitor.documents.training import FleetRetrainingDocument, RetrainDocument, RunDocument
from monitor.documents.what_if import WhatIfDocument
from monitor.sampling.metric_catalog import HOST_METRICS
from storage import Sample

DIRECTORY = Path(__file__).parents[1] / "docs" / "schemas"

DIALECT = "https://json-schema.org/draft/2020-12/schema"

DOCUMENTS: dict[str, Any] = {
    "actions": ActionsDocument,
    "anomalies": tuple[AnomalyDocument, ...],
    "anomaly": AnomalyDocument,
    "anomaly-details": AnomalyDetailsDocument,
    "backtest": BacktestDocument,
    "capacity": CapacityDocument,
    "check-config": ConfigCheckDocument,
    "doctor": DoctorDocument,
    "fleet": FleetDocument,
    "fleet-host": FleetHostDetailsDocument,
    "fleet-retrain": FleetRetrainingDocument,
    "fleet-report": FleetReportDocument,
    "fleet-status": FleetStatusDocument,
    "fleet-warnings": tuple[FleetWarningDocument, ...],
    "history": HistoryDocument,
    "maintenance": MaintenanceDocument,
    "maintenance-end": MaintenanceEndDocument,
    "maintenance-list": tuple[MaintenanceDocument, ...],
    "model": ModelDocument,
    "model-activation": ActivationDocument,
    "model-export": ModelExportDocument,
    "model-import": ModelImportDocument,
    "models": tuple[ModelListEntry, ...],
    "notify-test": tuple[ChannelTestDocument, ...],
    "prediction": tuple[PredictionDocument, ...],
    "processes": ProcessSnapshotDocument,
    "purge": PurgeDocument,
    "migrate-store": MigrationDocument,
    "report": ScoreReportDocument,
    "retrain": RetrainDocument,
    "salvage": SalvageDocument,
    "scorecard": ScorecardDocument,
    "status": StatusDocument,
    "trace-import": TraceImportDocument,
    "training": RunDocument,
    "warnings": tuple[WarningDocument, ...],
    "what-if": WhatIfDocument,
}
"""Type of each document by the name of its schema."""

ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
"""Name and description of an attribute in a docstring."""


class SchemaGenerator(GenerateJsonSchema):
    """Generator that describes the properties of dataclasses, requires all of them, and allows no others."""

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        """Return the schema of a dataclass."""
        definition = super().dataclass_schema(schema)
        kind = schema["cls"]
        descriptions = attribute_descriptions(kind)
        properties = {}
        for name, property_schema in definition["properties"].items():
            property_schema.pop("default", None)
            property_schema.pop("title", None)
            described = {"description": descriptions[name]} if name in descriptions else {}
            # The JSON key of a field is its name without the underscore that avoids a keyword.
            properties[name.removesuffix("_")] = described | property_schema
        summary, _, _ = inspect.getdoc(kind).partition("\n\nAttributes:\n")
        return definition | {
            "description": json_terms(summary),
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }


def attribute_descriptions(kind: type) -> dict[str, str]:
    """Return the description of each attribute of a dataclass and its bases."""
    descriptions: dict[str, str] = {}
    if kind is Sample:
        descriptions = {metric.field: metric.description for metric in HOST_METRICS}
        descriptions["at"] = "seconds since the epoch."
    for base in reversed(kind.__mro__):
        _, _, attributes = inspect.cleandoc(base.__doc__ or "").partition("\n\nAttributes:\n")
        descriptions |= {name: json_terms(text) for name, text in ATTRIBUTE.findall(attributes)}
    return descriptions


def json_terms(text: str) -> str:
    """Return a docstring as one line, with JSON constants in place of Python constants."""
    constants = {"None": "null", "True": "true", "False": "false"}
    return re.sub(r"\b(None|True|False)\b", lambda match: constants[match[0]], " ".join(text.split()))


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON schema of a document."""
    adapter = TypeAdapter(DOCUMENTS[name])
    schema = adapter.json_schema(mode="serialization", schema_generator=SchemaGenerator)
    return {"$schema": DIALECT, **schema}


def schema_text(name: str) -> str:
    """Return the content of the file of a schema."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write all schemas."""
    DIRECTORY.mkdir(exist_ok=True)
    for path in DIRECTORY.glob("*.json"):
        path.unlink()
    for name in DOCUMENTS:
        (DIRECTORY / f"{name}.json").write_text(schema_text(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())

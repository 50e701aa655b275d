"""`auditor schema`: JSON Schemas of the files."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer


class SchemaName(StrEnum):
    """The files that have a schema."""

    INVENTORY = "inventory"
    MATRIX = "matrix"
    RESULTS = "results"
    WAIVERS = "waivers"


def schema(name: Annotated[SchemaName, typer.Argument(help="Which file.")] = SchemaName.RESULTS) -> None:
    """Print the JSON Schema of a file, for editors and pipelines."""
    print(json.dumps(_schema(name), indent=2))


def _schema(name: SchemaName) -> object:
    if name is SchemaName.INVENTORY:
        from auditor.inventory.schema import inventory_schema  # noqa: PLC0415

        return inventory_schema()
    if name is SchemaName.MATRIX:
        from auditor.matrix.load import profile_schema  # noqa: PLC0415

        return profile_schema()
    if name is SchemaName.WAIVERS:
        from auditor.waivers.load import waivers_schema  # noqa: PLC0415

        return waivers_schema()
    from auditor.report.results_json import results_schema  # noqa: PLC0415

    return results_schema()

"""The JSON Schema of scenario files, for editors that complete and check as one types."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import CoreSchema

from testbed.scenario.cells import SWEPT
from testbed.scenario.models import Condition, Scenario


def json_schema() -> dict[str, Any]:
    """The schema of the file, draft 2020-12: the models, with `clean` as a word and lists as sweeps."""
    schema = Scenario.model_json_schema(schema_generator=Untitled)
    settings = schema["$defs"][Condition.__name__]["properties"]
    for name in SWEPT:
        about = {key: settings[name].pop(key) for key in ("description", "default")}
        sweep = {"type": "array", "items": settings[name], "minItems": 1}
        settings[name] = {**about, "anyOf": [*settings[name].get("anyOf", [settings[name]]), sweep]}
    conditions = schema["properties"]["conditions"]
    conditions["items"] = {"anyOf": [{"const": "clean"}, conditions["items"]]}
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": "A testbed scenario", **schema}


class Untitled(GenerateJsonSchema):
    """Without the titles that pydantic makes of the names: they say nothing more."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never for a field."""
        return False

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> dict[str, Any]:
        """The schema, its models without titles."""
        made = super().generate(schema, mode)
        for model in (made, *made.get("$defs", {}).values()):
            model.pop("title", None)
        return made

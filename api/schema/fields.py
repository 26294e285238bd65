"""What the input fields take, as JSON Schema: one function a field."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema

from api import fields, statuses

Schema = dict[str, Any]


@singledispatch
def schema_of(field: fields.StrictField) -> Schema:
    """The JSON Schema of what `field` takes, null apart."""
    raise TypeError(f"what does {type(field).__name__} take?")


@schema_of.register
def _text(field: fields.Text) -> Schema:
    other = field.forbidden.pattern.strip("[]")
    pattern = rf"^[^{other}]*$"
    if not field.allow_null:  # Blank is refused as well. \x85 is white to Python, and not to JavaScript.
        pattern = rf"^[^{other}]*[^{other}\s\x85][^{other}]*$"
    shortest = 0 if field.allow_null else max(field.shortest, 1)
    return {"type": "string", "minLength": shortest, "maxLength": field.longest, "pattern": pattern}


@schema_of.register
def _choice(field: fields.Choice) -> Schema:
    return {"type": "string", "enum": field.choices}


@schema_of.register
def _choices(field: fields.Choices) -> Schema:
    return {"type": "array", "items": {"type": "string", "enum": field.choices}}


@schema_of.register
def _whole(field: fields.Whole) -> Schema:
    return {"type": "integer", "minimum": field.least, "maximum": field.most}


@schema_of.register
def _ids(field: fields.Ids) -> Schema:
    id_ = {"type": "integer", "minimum": 1, "maximum": fields.LARGEST_ID}
    return {"type": "array", "items": id_, "minItems": field.least, "maxItems": field.most}


@schema_of.register
def _flag(field: fields.Flag) -> Schema:
    return {"type": "boolean"}


@schema_of.register
def _bit(field: fields.Bit) -> Schema:
    return {"enum": [0, 1, False, True]}


@schema_of.register
def _statuses(field: fields.Statuses) -> Schema:
    return {"type": "string", "maxLength": statuses.LONGEST, "pattern": statuses.GRAMMAR}


@schema_of.register
def _status_code(field: fields.StatusCode) -> Schema:
    text = {"type": "string", "pattern": "^[1-5][0-9]{2}$"}
    return {"anyOf": [text, {"type": "integer", "minimum": 100, "maximum": 599}]}


class StrictFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Tells drf-spectacular of our fields."""

    target_class = fields.StrictField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Schema:
        return schema_of(self.target)


class ClosedSerializerSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Tells drf-spectacular of the serializers that refuse what they do not know."""

    target_class = fields.ClosedSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> Schema:
        known: Schema = auto_schema._map_serializer(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        return known | {"additionalProperties": False}

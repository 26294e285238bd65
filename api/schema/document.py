"""The OpenAPI document: drf-spectacular walks the routes, and the table of operations says what they do."""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework.permissions import SAFE_METHODS
from rest_framework.views import APIView

from api.key_formats import FLAT, NATIVE
from api.schema import fields  # noqa: F401  # tells drf-spectacular of our fields
from api.schema.flat import FLAT_OPERATIONS
from api.schema.operations import OPERATIONS, Operation
from api.schema.parameters import HEADERS, ID

Schema = dict[str, Any]

REFUSALS = {
    400: "Something that was sent is wrong; the sentence names it.",
    401: "No key, or not a valid one.",
    402: "The account has as many monitors as it may.",
    403: "The key's scopes do not allow this, or the account is suspended.",
    404: "The account has no such object.",
    409: "What there is already does not allow this.",
    413: "More than a megabyte was sent.",
    429: "Too many requests; come again after the seconds in Retry-After.",
    500: "Our fault.",
    503: "Not now; come again after the seconds in Retry-After.",
}
ANYWHERE = (401, 403, 429, 500, 503)
"""The refusals that every operation may answer."""


Table = dict[type[APIView], dict[str, Operation]]
TABLES: dict[str, Table] = {NATIVE: OPERATIONS, FLAT: FLAT_OPERATIONS}
"""By document, what it describes: formats that share paths cannot share one."""
_making: ContextVar[str] = ContextVar("making")
"""The document that is being made."""


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer …`."""

    target_class = "api.auth.BearerKey"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        return {"type": "http", "scheme": "bearer", "description": "An API key, umk_live_… or uptime_…"}


class OperationSchema(AutoSchema):
    """One operation, as its row in the table and its view's docstring say."""

    @property
    def row(self) -> Operation:
        """What the table says."""
        return TABLES[_making.get()][type(self.view)][self.method]

    def is_excluded(self) -> bool:
        """Whether the table says nothing; a test fails then, unless another document has it."""
        return self.method not in TABLES[_making.get()].get(type(self.view), {})

    def get_operation_id(self) -> str:
        return self.row.id

    def get_summary(self) -> str:
        return super().get_description().partition(".")[0].partition(";")[0].partition(":")[0]

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        view: Any = self.view
        action = "read" if self.method in SAFE_METHODS else "write"
        return f"{super().get_description()}\n\nScope: `{view.resource}:{action}`"

    def get_override_parameters(self) -> list[Any]:
        path = (self.row.path_id,) if self._has_id else ()
        return [*path, *self.row.query, *HEADERS]

    def get_request_serializer(self) -> Any:
        return {"application/json": self.row.body} if self.row.body is not None else None

    def get_response_serializers(self) -> Any:
        row = self.row
        success = {204: OpenApiResponse(None, "Done.")}
        if row.answer:
            success = {row.success: response(row.answer, "Done.")}
        bodies = dict.fromkeys(REFUSALS, row.error) | {503: row.unavailable or row.error}
        return success | {status: response(bodies[status], REFUSALS[status]) for status in self._refusals()}

    def _get_parameters(self) -> list[Schema]:
        # An empty filter is as good as none.
        empty = {"query": {"allowEmptyValue": True}}
        return [each | empty.get(each["in"], {}) for each in super()._get_parameters()]

    @property
    def _has_id(self) -> bool:
        return "{id}" in self.path

    def _refusals(self) -> list[int]:
        has_number = self._has_id and self.row.path_id is ID
        wrong = (400,) if has_number or self.row.body is not None or self.row.query else ()
        large = (413,) if self.row.body is not None else ()
        unknown = (404,) if self._has_id else ()
        return sorted({*wrong, *large, *unknown, *ANYWHERE, *self.row.refusals})


class Generator(SchemaGenerator):
    """Paths as clients write them: what a view calls `id_text` is an id to those who ask."""

    def coerce_path(self, path: str, method: str, view: Any) -> str:
        coerced: str = super().coerce_path(path, method, view)  # type: ignore[no-untyped-call]
        return coerced.replace("{id_text}", "{id}")


def response(type_: Any, description: str) -> OpenApiResponse:
    """An answer whose body is of this type."""
    return OpenApiResponse(answer_schemas(_making.get())[0][str(type_)], description)


@functools.cache
def answer_schemas(name: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The schema of each type that is answered, by its name; and the components that they refer to."""
    rows = [row for methods in TABLES[name].values() for row in methods.values()]
    named = [(row.answer, row.error, row.unavailable) for row in rows]
    types = [type_ for types in named for type_ in types if type_]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return dict(zip(map(str, types), schemas, strict=True)), components


@functools.cache
def document(name: str = NATIVE) -> Schema:
    """A whole document. It depends on the settings alone, so it is made once."""
    token = _making.set(name)
    try:
        whole: Schema = Generator().get_schema(public=True)  # type: ignore[no-untyped-call]
    finally:
        _making.reset(token)
    schemas = whole["components"]["schemas"] | answer_schemas(name)[1]
    whole["components"]["schemas"] = dict(sorted(schemas.items()))
    return whole

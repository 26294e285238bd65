"""The OpenAPI document as a judge of answers: what it does not say must not be answered."""

from __future__ import annotations

import functools
import re
from typing import Any

import jsonschema_rs

from api.key_formats import NATIVE
from api.schema.document import document

Schema = dict[str, Any]


def check_answer(method: str, path: str, response: Any, name: str = NATIVE) -> None:
    """Fail unless the document has this status for the operation, and a body of just this form.

    What the document of a format does not have is answered as by the native one.
    """
    operation = operation_of(method, path, name)
    if operation is None:
        name, operation = NATIVE, operation_of(method, path)
    if operation is None:
        return
    documented = operation["responses"]
    assert str(response.status_code) in documented, f"{method} {path}: {response.status_code} is undocumented"
    content = documented[str(response.status_code)].get("content")
    if content is None:
        assert response.content == b""
        return
    assert response["Content-Type"] in content
    validator(content["application/json"]["schema"], name).validate(response.json())


def operation_of(method: str, path: str, name: str = NATIVE) -> Schema | None:
    """The operation that a call of this path is, unless there is none."""
    path = path.partition("?")[0]
    for template, methods in document(name)["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found: Schema | None = methods.get(method.lower())
            return found
    return None


def validator(schema: Schema, name: str = NATIVE) -> jsonschema_rs.Draft202012Validator:
    """Judges by this schema, whose references lead into the document."""
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": strict_components(name)}, validate_formats=True
    )


@functools.cache
def strict_components(name: str) -> Schema:
    """The document's components, without room for members that it does not name."""
    components: Schema = document(name)["components"]
    closed = {
        name: schema | {"additionalProperties": False} for name, schema in components["schemas"].items()
    }
    return {"schemas": closed}

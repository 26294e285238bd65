"""Strict input fields: they take their JSON type and no other, and their messages name field and limit.

DRF's own fields coerce: 1 becomes "1", "yes" becomes true. A contract that names types needs a 400.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

from django.db.models import Model
from rest_framework import serializers

from api.statuses import BadStatuses, Ranges, parsed, written

Row = TypeVar("Row", bound=Model)

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NUL = re.compile(r"\x00")
LARGEST_ID = 2**63 - 1


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """Messages begin with the field's name, as the contract words them."""

    default_error_messages = {
        "required": "{name} is required",
        "null": "{name} is required",
    }

    def fail(self, key: str, **kwargs: Any) -> Any:
        raise serializers.ValidationError(self.error_messages[key].format(name=self.field_name, **kwargs))

    def to_representation(self, value: Any) -> Any:
        return value


class Text(StrictField):
    """A string of `shortest` to `longest` characters, none of `forbidden`. Blank is as good as null."""

    default_error_messages = {
        "type": "{name} must be a string",
        "short": "{name} must be at least {shortest} characters",
        "long": "{name} must be {longest} characters or less",
        "control": "{name} must not contain control characters",
        "encoding": "{name} must be valid UTF-8",
    }

    def __init__(
        self, *, longest: int, shortest: int = 0, forbidden: re.Pattern[str] = CONTROL, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.longest, self.shortest, self.forbidden = longest, shortest, forbidden

    def to_internal_value(self, data: Any) -> str | None:
        if not isinstance(data, str):
            self.fail("type")
        text: str = data
        self._refuse(text)
        if text.strip():
            return text
        return None if self.allow_null else self.fail("required")

    def _refuse(self, text: str) -> None:
        if len(text) < self.shortest and (text or not self.allow_null):
            self.fail("short", shortest=self.shortest)
        if len(text) > self.longest:
            self.fail("long", longest=self.longest)
        if self.forbidden.search(text):
            self.fail("control")
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.fail("encoding")


class Choice(StrictField):
    """One of a few strings."""

    default_error_messages = {"choice": "{name} must be one of: {choices}"}

    def __init__(self, choices: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def to_internal_value(self, data: Any) -> str:
        if data == "":
            self.fail("required")
        if data not in self.choices:
            self.fail("choice", choices=", ".join(self.choices))
        return str(data)


class Named(Choice):
    """One of a few strings, each of which stands for a value."""

    def __init__(self, values: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(list(values), **kwargs)
        self.values = values

    def to_internal_value(self, data: Any) -> Any:
        return self.values[super().to_internal_value(data)]

    def to_representation(self, value: Any) -> str:
        return next(name for name, meant in self.values.items() if meant == value)


class Choices(StrictField):
    """A list of some of a few strings, each once."""

    default_error_messages = {"choices": "{name} must be a list of some of: {choices}"}

    def __init__(self, choices: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def to_internal_value(self, data: Any) -> list[str]:
        if not isinstance(data, list) or any(each not in self.choices for each in data):
            self.fail("choices", choices=", ".join(self.choices))
        return [choice for choice in self.choices if choice in data]


class Whole(StrictField):
    """An integer within bounds; true is not 1."""

    default_error_messages = {
        "type": "{name} must be an integer",
        "least": "{name} must be at least {least}",
        "most": "{name} must be at most {most}",
    }

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("type")
        if data < self.least:
            self.fail("least", least=self.least)
        if data > self.most:
            self.fail("most", most=self.most)
        return int(data)


class Ids(StrictField):
    """A list of ids, each once."""

    default_error_messages = {"ids": "{name} must be a list of {least} to {most} ids"}

    def __init__(self, *, least: int = 0, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def to_internal_value(self, data: Any) -> list[int]:
        fits = isinstance(data, list) and self.least <= len(data) <= self.most
        if not (fits and all(map(_is_id, data))):
            self.fail("ids", least=self.least, most=self.most)
        return sorted(set(data))


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_ID


class Flag(StrictField):
    """true or false."""

    default_error_messages = {"type": "{name} must be a boolean"}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("type")
        return bool(data)


class Bit(Flag):
    """1 or 0; true or false are understood, too."""

    default_error_messages = {"type": "{name} must be a boolean, 0 or 1"}

    def to_internal_value(self, data: Any) -> bool:
        is_bit = type(data) is int and data in (0, 1)
        return super().to_internal_value(bool(data) if is_bit else data)


class StatusCode(StrictField):
    """One HTTP status code, as the contract's string; an integer is understood, too."""

    default_error_messages = {"code": "{name} must be a single integer between 100 and 599"}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not re.fullmatch(r"[1-5][0-9]{2}", str(data), re.ASCII):
            self.fail("code")
        return int(data)

    def to_representation(self, value: int | Ranges) -> str:
        return written(value)


class Statuses(StrictField):
    """HTTP status codes and ranges of them, as text."""

    default_error_messages = {
        "statuses": "{name} must be codes or ranges of 100 to 599, separated by commas",
    }

    def to_internal_value(self, data: Any) -> int | Ranges:
        try:
            return parsed(data if isinstance(data, str) else "")
        except BadStatuses:
            return self.fail("statuses")  # type: ignore[no-any-return]  # it raises

    def to_representation(self, value: int | Ranges) -> str:
        return written(value)


class ClosedSerializer(serializers.Serializer[Row]):
    """Refuses members that it does not know, where others ignore them."""

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {
            name: f"{name} is not a known field" for name in map(_sayable, data) if name not in self.fields
        }
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(error.detail | errors) from error  # type: ignore[operator]  # by field
        if errors:
            raise serializers.ValidationError(errors)
        return value


def _sayable(text: str) -> str:
    """`text` as an answer can repeat it: JSON may escape halves of characters, and UTF-8 has none."""
    return text.encode(errors="backslashreplace").decode()

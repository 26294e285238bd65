"""What the pages share: lists that stay cheap with any number of rows, and rows that only the code writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin import helpers
from django.contrib.auth import get_permission_codename
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

M = TypeVar("M", bound=Model)
MOST_COUNTED = 10_000
"""Rows of a list that are counted, and so can be paged through; whoever wants older ones searches."""


class BoundedPaginator(Paginator[Any]):
    """Counts no further than `MOST_COUNTED`: a full count of what grows by the second reads all of it."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[:MOST_COUNTED].count())


class StaffAdmin(admin.ModelAdmin[M]):
    """A list without full counts, sorted only by what is indexed, in which a number finds an id."""

    paginator = BoundedPaginator
    change_form_template = "staff/change_form.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    sortable_by = ()
    ordering = ("-pk",)
    number_fields: tuple[str, ...] = ("pk",)
    """The columns in which a number is looked for, all of them indexed."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """By number where it is one; by text only where a page names `search_fields` with text."""
        term = search_term.strip()
        if term.isdecimal():
            found = Q()
            for field in self.number_fields:
                found |= Q(**{field: int(term)})
            return queryset.filter(found), False
        if term and self.search_fields == ("pk",):
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With a button for each action, which asks as in the list."""
        actions: Mapping[str, Any] = self.get_actions(request)
        context["row_actions"] = [
            (name, text) for name, (_, _, text) in actions.items() if name != "delete_selected"
        ]
        context["checkbox"] = helpers.ACTION_CHECKBOX_NAME
        return super().render_change_form(request, context, *args, **kwargs)

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may do more than look: the permission to change these rows."""
        codename = get_permission_codename("change", self.opts)
        return bool(request.user.has_perm(f"{self.opts.app_label}.{codename}"))


class ReadOnlyAdmin(StaffAdmin[M]):
    """Rows that only the code writes: what staff may do to them is an action."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """No."""
        return False


def choice_filter(title: str, choices: Mapping[str, Q]) -> type[admin.SimpleListFilter]:
    """A filter of a list by conditions with names. Django's own would ask the table for its values."""

    class ChoiceFilter(admin.SimpleListFilter):
        parameter_name = title.replace(" ", "_")

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(name, name) for name in choices]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            condition = choices.get(self.value() or "")
            return queryset.filter(condition) if condition else queryset

    ChoiceFilter.title = title
    return ChoiceFilter


def value_filter(
    title: str, field: str, values: Mapping[str, Any] | list[str]
) -> type[admin.SimpleListFilter]:
    """A filter by values of one field."""
    named = values if isinstance(values, Mapping) else {value: value for value in values}
    return choice_filter(title, {name: Q(**{field: value}) for name, value in named.items()})

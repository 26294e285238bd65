"""The documents say what is: names, settings and error classes in them exist, and none is left out."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from probes.errors import ErrorClass

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = "accounts|api|config|incidents|monitors|probes|staff|webhooks"
DOTTED = re.compile(rf"`((?:{PACKAGES})(?:\.\w+)+)`")


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text()


def exists(dotted: str) -> bool:
    """Whether a module, function or method of this name can be reached."""
    module, names = dotted.split("."), list[str]()
    while module:
        try:
            found: object = import_module(".".join(module))
        except ModuleNotFoundError:
            names.insert(0, module.pop())
            continue
        for name in names:
            found = getattr(found, name, None)
        return found is not None
    return False


@pytest.mark.parametrize("dotted", sorted(set(DOTTED.findall(text_of("docs/architecture.md")))))
def test_what_the_architecture_names_exists(dotted: str) -> None:
    assert exists(dotted)


def test_a_name_that_is_gone_would_be_noticed() -> None:
    assert not exists("monitors.scheduling.claim_everything")
    assert not exists("monitors.nothing.tick")


def test_every_error_class_is_documented_as_it_is() -> None:
    text = text_of("docs/errors.md")
    rows = re.findall(r"\| `(\w+)` \| (\w+) \| (.+) \|", text)
    assert rows == [(each.value, each.outcome, each.meaning) for each in ErrorClass]


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    documented = set(re.findall(r"`UPQUORUM_([A-Z_]+)`", text_of("docs/settings.md")))
    code = "".join(
        path.read_text() for folder in ("config", "probes") for path in (REPOSITORY / folder).rglob("*.py")
    )
    read = set(re.findall(r'(?:text|integer|words|secret)\(\s*"([A-Z_]+)"', code))
    files = {f"{name}_FILE" for name in re.findall(r'secret\(\s*"([A-Z_]+)"', code)}
    assert documented == read | files


def test_the_readme_leads_to_every_document() -> None:
    linked = set(re.findall(r"\]\((docs/\w+\.md)\)", text_of("README.md")))
    assert linked == {f"docs/{path.name}" for path in REPOSITORY.glob("docs/*.md")}


@pytest.mark.parametrize(
    "path", [*sorted(REPOSITORY.glob("docs/*.md")), REPOSITORY / "README.md"], ids=lambda p: p.name
)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target

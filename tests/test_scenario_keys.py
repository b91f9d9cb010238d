"""Every key of a scenario says what it is, and where its default comes from."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from hil import scenario
from hil.scenario.base import Section

MODULES = [importlib.import_module(found.name) for found in pkgutil.walk_packages(scenario.__path__, "hil.scenario.")]
SECTIONS = {
    section
    for module in MODULES
    for section in vars(module).values()
    if isinstance(section, type) and issubclass(section, Section) and section is not Section
}
FIELDS = [
    pytest.param(section, name, id=f"{section.__name__}.{name}")
    for section in sorted(SECTIONS, key=lambda section: section.__name__)
    for name in section.model_fields
    if name != "kind"
]


@pytest.mark.parametrize(("section", "name"), FIELDS)
def test_a_key_says_what_it_is(section, name):
    description = section.model_fields[name].description or ""
    assert len(description.split()) > 1
    assert description == description.strip()
    assert not description.endswith(".")


@pytest.mark.parametrize(("section", "name"), FIELDS)
def test_a_default_says_where_it_comes_from(section, name):
    field = section.model_fields[name]
    claims = not field.is_required() and field.default_factory is None and field.default not in (None, "", [])
    origin = (field.json_schema_extra or {}).get("source", "")
    assert bool(origin) or not claims
    assert not origin.endswith(".")


@pytest.mark.parametrize(
    "section", sorted(SECTIONS, key=lambda section: section.__name__), ids=lambda section: section.__name__
)
def test_a_section_says_what_it_is(section):
    first = (section.__doc__ or "").strip().partition("\n")[0]
    assert first[:1].isupper() or first[:1].isdigit()
    assert first.endswith((".", "`."))
    assert len(first.split()) >= 3

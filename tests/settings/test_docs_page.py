"""docs/settings.md is printed from the declarations."""

from ketapress.model.settings import setting_specs
from ketapress.settings.converters import CONVERTERS
from ketapress.settings.docs_page import render_settings_page
from ketapress.settings.loader import list_sections
from support.factories import REPOSITORY


def test_the_page_in_docs_is_the_one_that_the_declarations_print() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text()
    assert page == render_settings_page(), "run: python -m ketapress.settings.docs_page > docs/settings.md"


def test_every_setting_has_a_sentence_and_a_reader() -> None:
    for section, cls in list_sections():
        for spec in setting_specs(cls):
            assert spec.description.endswith("."), f"{section}.{spec.name}"
            assert spec.converter in CONVERTERS, f"{section}.{spec.name}"

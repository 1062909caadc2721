"""Find the row of a language in a table of translations."""

from collections.abc import Mapping
from typing import TypeVar

Row = TypeVar("Row")


def find_translation(table: Mapping[str, Row], language: str) -> Row:
    """Return the row of a BCP 47 tag's primary subtag (`de` for `de-CH`); the English row where there is none."""
    return table.get(language.partition("-")[0].lower()) or table["en"]

"""Did-you-mean suggestions."""

import pytest

from ketapress.model.suggestions import closest_name

NAMES = ["subject", "schedule", "select"]


@pytest.mark.parametrize(
    ("name", "cutoff", "suggestion"),
    [
        ("shedule", 0.6, "schedule"),
        ("selct", 0.6, "select"),
        ("selct", 0.95, ""),
        ("timezone", 0.6, ""),
        ("", 0.6, ""),
    ],
)
def test_the_most_similar_name_is_suggested_if_any_is_similar(
    name: str, cutoff: float, suggestion: str
) -> None:
    assert closest_name(name, NAMES, cutoff) == suggestion


def test_without_names_nothing_is_suggested() -> None:
    assert closest_name("draft", []) == ""

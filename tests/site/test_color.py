"""Accents have enough contrast, whichever color an editor chooses."""

import pytest
from hypothesis import given, settings as bounds, strategies as st

from ketapress.model.color import contrast_ratio, ensure_contrast
from ketapress.site.pages import BACKGROUND
from support.factories import settings

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast_ratio("#123456", "#123456") == pytest.approx(1)


@bounds(max_examples=200, deadline=None)
@given(color=COLORS, background=COLORS)
def test_every_accent_is_readable_on_every_paper(color: str, background: str) -> None:
    assert contrast_ratio(ensure_contrast(color, background), background) >= 4.5


def test_an_accent_that_can_be_read_is_left_alone() -> None:
    assert ensure_contrast(settings().site.accent, BACKGROUND["light"]) == settings().site.accent


def test_a_dark_accent_becomes_a_lighter_tint_on_dark_paper() -> None:
    red, green, blue = (int(ensure_contrast("#8a3b12", BACKGROUND["dark"])[n : n + 2], 16) for n in (1, 3, 5))

    assert red > green > blue
    assert red > 0x8A

"""A text with gaps: cut once from a specimen, filled as often as there are values."""

import json
from html import escape

import pytest
from hypothesis import given, strategies as st
from lxml.etree import Element, tostring
from markupsafe import Markup, escape as template_escape

from ketapress.model.prerender import Mould, Moulds, cut, mark

TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=30)


@given(TEXTS)
def test_a_value_is_escaped_as_the_library_escaped_its_mark(value: str) -> None:
    def printed(text: str) -> str:
        element = Element("a", href=text)
        element.text = text
        twice = escape(escape(text, quote=False), quote=False)
        return f"{tostring(element, encoding='unicode')} {template_escape(text)} {Markup(text)} {twice}"

    assert cut(printed(mark("value"))).filled({"value": value}) == printed(value)


def test_a_value_may_stand_in_several_gaps_and_nothing_in_it_is_taken_for_a_gap() -> None:
    mould = cut(f"{mark('a')} and {mark('b')} and {mark('a')}")
    assert mould.filled({"a": mark("b"), "b": "2"}) == f"{mark('b')} and 2 and {mark('b')}"


@pytest.mark.parametrize("change", [str.upper, lambda text: text[:-1], lambda text: text.replace("<", "")])
def test_a_mark_that_was_changed_is_refused(change: object) -> None:
    assert callable(change)
    with pytest.raises(ValueError, match="is changed where it is printed"):
        cut(f"a {change(mark('name'))} b")


def test_a_shape_is_printed_once_and_what_a_memory_keeps_is_not_printed_again() -> None:
    first = Moulds()
    assert first.of(("a", 1), lambda: f"<{mark('x')}>").filled({"x": "1"}) == "<1>"
    assert first.of(("a", 1), lambda: "never").filled({"x": "2"}) == "<2>"
    second = Moulds(json.loads(json.dumps(first.fresh())))
    assert second.of(("a", 1), lambda: "never").filled({"x": "3"}) == "<3>"
    assert not first.fresh()
    assert not second.fresh()


@pytest.mark.parametrize("kept", [None, 7, ["a", "b"], ["a", "b", "no way", "c"], [1, 2, 3, 4], {"a": 1}])
def test_a_memory_that_holds_no_mould_is_no_memory(kept: object) -> None:
    moulds = Moulds({"('a',)": kept})
    assert moulds.of(("a",), lambda: mark("x")).filled({"x": "1"}) == "1"


def test_a_mould_is_the_texts_names_and_ways_it_was_made_of() -> None:
    pieces = ("a ", "name", "text", " b")
    assert Mould(pieces).pieces == pieces
    assert Mould(pieces).filled({"name": "<"}) == "a &lt; b"

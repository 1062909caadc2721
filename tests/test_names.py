"""Names are words of the field: no metaphor and no vague word, in functions, classes, parameters, attributes and locals."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.factories import REPOSITORY

_WORDS = """
    around arrows beside books chosen companion cut desk door doors doubted each
    floor found fresh given ground hand hands heard hindered house kept knowing
    learned ledger letter made manuscript mend mended mends mould moulds much orphans
    papers parcel people persons pinned pinning place places resuming road room
    said shelf shown somebody specimen stamped tally thing things told troubles turns
    whoever whole wholes withheld
"""
AVOIDED = frozenset(_WORDS.split())
"""Words that said nothing to newcomers, or something else than what they say elsewhere."""
GOOD = re.compile(
    r"_?_?(?:is|was|has)_\w+|\w*(?:LETTERS?|letters?|letter_\w+|not_found\w*|NOT_FOUND\w*)|needs_person|\w*held_by_person"
    r"|connection_made|HELD_BY_PERSON|_place_\w+|cut_\w+|_cut_\w+"
)
"""Names in which such a word is the word of the field: letters of an alphabet, HTTP's 404, questions."""
PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
FILES = [
    path
    for folder in ("src/ketapress", "tests/support")
    for path in sorted((REPOSITORY / folder).rglob("*.py"))
]


def defined_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that a module defines, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name


def avoided_words(name: str) -> set[str]:
    return set() if GOOD.fullmatch(name) else {part.lower() for part in PART.findall(name)} & AVOIDED


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_names_are_words_of_the_field(path: Path) -> None:
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{line}: `{name}` says {', '.join(sorted(words))}. "
        "Name what it is or does; docs/glossary.md has the words."
        for line, name in defined_names(ast.parse(path.read_text()))
        if (words := avoided_words(name))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("parse_post", set()),
        ("pinned_posts", {"pinned"}),
        ("_NON_LETTERS", set()),
        ("LetterDoor", {"letter", "door"}),
        ("is_shown", set()),
        ("not_found", set()),
    ],
)
def test_an_avoided_word_is_recognized(name: str, words: set[str]) -> None:
    assert avoided_words(name) == words

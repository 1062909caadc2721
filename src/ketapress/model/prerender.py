"""A text that a library printed once, with gaps in it that are filled as often as there are values.

To print a thousand entries that differ in a few words takes a library of XML, or of templates, a thousand times as long
as to print one and to fill it a thousand times. In: a specimen, printed with marks in the place of values. Out: a `Mould`.
Each mark holds a probe, and how that came out tells how values have to be escaped there: so escaping stays the library's.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from html import escape
from typing import Any

_MARK = re.compile("\ue000([a-z0-9_]*[a-z0-9])_*\ue001([^\ue002]*)\ue002")
_PROBES = {False: "<'\"", True: "<b'\""}  # the second could be taken for markup
_text = lru_cache(maxsize=512)(
    partial(escape, quote=False)
)  # a body stands in RSS and in Atom, one soon after the other


def _attribute(text: str) -> str:
    return _text(text).replace('"', "&quot;")


def _template(text: str) -> str:
    """As markupsafe does it, for Jinja."""
    return _text(text).replace('"', "&#34;").replace("'", "&#39;")


_ESCAPES: Mapping[str, Callable[[str], str]] = {
    "raw": str,
    "text": _text,
    "attribute": _attribute,
    "text in text": lambda text: _text(_text(text)),
    "template": _template,
}
_WAYS = {escaped(probe): way for way, escaped in _ESCAPES.items() for probe in _PROBES.values()}


Pieces = tuple[str, ...]
"""A mould as a memory keeps it: text, name, way, text, name, way, …, text."""


def mark(name: str, *, markup: bool = False, length: int = 0) -> str:
    """What to print in the place of the value `name`, which is of lower-case letters, digits, underscores within.

    `markup` stands for values that could be taken for markup, where those are printed in another way, and `length` for
    those that are longer than so many characters.
    """
    return f"\ue000{name.ljust(length, '_')}\ue001{_PROBES[markup]}\ue002"


class Mould:
    """Pieces of text, and between them gaps: each the name of a value and the way in which it is escaped there."""

    __slots__ = ("_fill", "pieces")

    def __init__(self, pieces: Iterable[str]) -> None:
        self.pieces: Pieces = tuple(pieces)
        self._fill = [
            (2 * number + 1, name, None if way == "raw" else _ESCAPES[way])
            for number, (name, way) in enumerate(zip(self.pieces[1::3], self.pieces[2::3], strict=True))
        ]

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with the values in its gaps, each escaped as it has to be."""
        parts = [""] * (2 * len(self._fill) + 1)
        parts[::2] = self.pieces[::3]
        for place, name, escaped in self._fill:
            value = values[name]
            parts[place] = escaped(value) if escaped else value
        return "".join(parts)


def cut(printed: str) -> Mould:
    """The mould that was printed. Raises `ValueError` where a mark came out in a way that nobody knows."""
    pieces: list[str] = []
    end = 0
    for found in _MARK.finditer(printed):
        if found[2] not in _WAYS:
            raise ValueError(f"the value {found[1]!r} is changed where it is printed: {found[2]!r}")
        pieces += [printed[end : found.start()], found[1], _WAYS[found[2]]]
        end = found.end()
    rest = printed[end:]
    if "\ue000" in rest or any("\ue000" in text for text in pieces[::3]):
        raise ValueError("a value is changed where it is printed")
    return Mould([*pieces, rest])


class Moulds:
    """The moulds of one build, by what they are moulds of; `known` are pieces that a memory kept, by the shapes."""

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self._known = known or {}
        self._moulds: dict[object, Mould] = {}
        self._fresh: dict[str, Pieces] = {}

    def of(self, shape: tuple[object, ...], printed: Callable[[], str]) -> Mould:
        """The mould of a shape, a tuple whose `repr` tells all; `printed` makes its specimen, if nobody has it."""
        mould = self._moulds.get(shape)
        if mould is None:
            mould = self._moulds[shape] = self._kept(repr(shape)) or self._cut(repr(shape), printed())
        return mould

    def fresh(self) -> Mapping[str, Pieces]:
        """The pieces of moulds that were cut since this was asked last."""
        fresh, self._fresh = self._fresh, {}
        return fresh

    def _kept(self, shape: str) -> Mould | None:
        kept = self._known.get(shape)
        if not isinstance(kept, list) or not all(isinstance(piece, str) for piece in kept):
            return None
        return Mould(kept) if len(kept) % 3 == 1 and set(kept[2::3]) <= _ESCAPES.keys() else None

    def _cut(self, shape: str, printed: str) -> Mould:
        mould = cut(printed)
        self._fresh[shape] = mould.pieces
        return mould

"""Marks: words that stand in a document where each subscriber's own values go.

In: what a letter is made of. Out: words that templates, styles and encodings leave alone, and that no post can
contain, because they hold a hash of all posts.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b

NAMES = ("unsubscribe_url", "preferences_url", "address")
"""What a template may show of its reader."""


class Marks:
    """The marks of one letter. Each is about as long as an address, so that text wraps as it will be read."""

    def __init__(self, content: str) -> None:
        root = "mark" + blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        self.reader = {name: f"{root}{place}" for place, name in enumerate(NAMES)}
        self._names = {mark: name for name, mark in self.reader.items()}
        self._pattern = re.compile(f"({'|'.join(self._names)})")

    def split(self, document: str) -> tuple[list[str], list[str]]:
        """The names of the marks in a document, in order, and the texts before, between and after them."""
        pieces = self._pattern.split(document)
        return [self._names[mark] for mark in pieces[1::2]], pieces[0::2]

    def names(self, document: str) -> set[str]:
        return {self._names[mark] for mark in self._pattern.findall(document)}

    def filled(self, document: str, values: Mapping[str, str]) -> str:
        return self._pattern.sub(lambda found: values[self._names[found[0]]], document)

"""Markers: words that stand for merge fields while a document is rendered.

Templates, styles and encodings leave them alone, and no post can contain them, because they hold a hash of all posts.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b

FIELD_NAMES = ("unsubscribe_url", "preferences_url", "address")
"""The merge fields that templates may use, as `reader.NAME`."""


class MergeFieldMarkers:
    """The markers of one edition, by merge field. Each is about as long as an address, so that text wraps alike."""

    def __init__(self, content: str) -> None:
        prefix = "mark" + blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        self.markers = {name: f"{prefix}{index}" for index, name in enumerate(FIELD_NAMES)}
        self._fields = {marker: name for name, marker in self.markers.items()}
        self._pattern = re.compile(f"({'|'.join(self._fields)})")

    def split(self, document: str) -> tuple[list[str], list[str]]:
        """Return the names of the merge fields in a document, in order, and the texts before, between and after them."""
        parts = self._pattern.split(document)
        return [self._fields[marker] for marker in parts[1::2]], parts[0::2]

    def field_names(self, document: str) -> set[str]:
        return {self._fields[marker] for marker in self._pattern.findall(document)}

    def substitute(self, document: str, values: Mapping[str, str]) -> str:
        return self._pattern.sub(lambda match: values[self._fields[match[0]]], document)

"""The files of an edition in the outbox, as bytes.

In: an edition, its digest, the specimen message. Out: names and contents, the same to the byte for the same input.
Nothing is written here.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from ketapress.model.edition import Edition
from ketapress.model.message import Digest, Letter

MANIFEST = "edition.json"


def edition_files(edition: Edition, digest: Digest, specimen: bytes) -> dict[str, bytes]:
    """`digest.html`, `digest.txt`, `message.eml`, and `edition.json`, which describes them."""
    files = {"digest.html": digest.html.encode(), "digest.txt": digest.text.encode(), "message.eml": specimen}
    return {**files, MANIFEST: _json(_manifest(edition, digest, specimen, files))}


def _manifest(
    edition: Edition, digest: Digest, specimen: bytes, files: Mapping[str, bytes]
) -> dict[str, Any]:
    return {
        "schema": 1,
        "edition": edition.slot.edition,
        "newsletter": edition.slot.newsletter,
        "slot": edition.slot.key,
        "at": edition.slot.at.isoformat(),
        "window": [edition.window.after.isoformat(), edition.window.until.isoformat()],
        "subject": digest.subject,
        "posts": list(_posts(edition)),
        "sizes": dict(digest.sizes),
        "key": digest.letter.key,
        "byte_slots": list(_byte_slots(digest.letter, specimen)),
        "sha256": {name: sha256(content).hexdigest() for name, content in sorted(files.items())},
    }


def _posts(edition: Edition) -> Iterator[dict[str, str]]:
    """The posts in the edition's order; those that found no room are the last, shown as `more`."""
    shown = [(item.post, item.display.value) for item in edition.items]
    for post, display in [*shown, *((post, "more") for post in edition.more)]:
        yield {"id": post.id, "path": post.path, "title": post.title, "sha256": post.sha256, "shown": display}


def _byte_slots(letter: Letter, specimen: bytes) -> Iterator[dict[str, Any]]:
    """Where in `message.eml` each slot's value stands, in octets."""
    offset = len(letter.segments[0])
    for slot, segment in zip(letter.slots, letter.segments[1:], strict=True):
        end = specimen.index(segment, offset)
        yield {"name": slot.name, "place": slot.place.value, "offset": offset, "length": end - offset}
        offset = end + len(segment)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()

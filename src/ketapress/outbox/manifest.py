"""Build the files of an edition's folder in the outbox. The same input gives the same bytes; nothing is written here."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from ketapress.model.edition import Edition
from ketapress.model.message import Digest, MessageTemplate

MANIFEST = "edition.json"


def edition_files(edition: Edition, digest: Digest, sample_message: bytes) -> dict[str, bytes]:
    """Return `digest.html`, `digest.txt`, `message.eml`, and `edition.json`, which describes them, by name."""
    files = {
        "digest.html": digest.html.encode(),
        "digest.txt": digest.text.encode(),
        "message.eml": sample_message,
    }
    manifest = _manifest(edition, digest, sample_message, files)
    return {**files, MANIFEST: (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()}


def _manifest(
    edition: Edition, digest: Digest, sample_message: bytes, files: Mapping[str, bytes]
) -> dict[str, Any]:
    return {
        "schema": 1,
        "edition": edition.slot.edition,
        "newsletter": edition.slot.newsletter,
        "slot": edition.slot.key,
        "at": edition.slot.at.isoformat(),
        "window": [edition.window.start.isoformat(), edition.window.end.isoformat()],
        "subject": digest.subject,
        "posts": list(_post_entries(edition)),
        "sizes": dict(digest.sizes),
        "key": digest.message_template.key,
        "byte_slots": list(_field_positions(digest.message_template, sample_message)),
        "sha256": {name: sha256(content).hexdigest() for name, content in sorted(files.items())},
    }


def _post_entries(edition: Edition) -> Iterator[dict[str, str]]:
    """Yield the posts in the order of the edition; last those that did not fit, shown as `more`."""
    entries = [(item.post, item.display.value) for item in edition.items]
    for post, display in [*entries, *((post, "more") for post in edition.overflow)]:
        yield {"id": post.id, "path": post.path, "title": post.title, "sha256": post.sha256, "shown": display}


def _field_positions(message_template: MessageTemplate, sample_message: bytes) -> Iterator[dict[str, Any]]:
    """Yield the position of each merge field's value in `message.eml`, in octets."""
    offset = len(message_template.segments[0])
    for field, segment in zip(message_template.merge_fields, message_template.segments[1:], strict=True):
        end = sample_message.index(segment, offset)
        yield {"name": field.name, "place": field.encoding.value, "offset": offset, "length": end - offset}
        offset = end + len(segment)

"""The files of an edition's folder, and the facts in `edition.json`."""

import json
from hashlib import sha256
from pathlib import Path

from ketapress.model.message import Digest, FieldEncoding, MergeField, MessageTemplate
from ketapress.outbox.manifest import edition_files
from support.factories import edition, post
from support.golden import assert_golden

GOLDEN_FOLDER = Path(__file__).parent / "golden"
EDITION = edition(post("first", title="Grüße"), post("second"))
MESSAGE_TEMPLATE = MessageTemplate(
    "00ff",
    (b"To: ", b"\r\n\r\nHello ", b", leave: ", b"\r\n"),
    (
        MergeField("to", FieldEncoding.HEADER),
        MergeField("address", FieldEncoding.TEXT),
        MergeField("unsubscribe_url", FieldEncoding.TEXT),
    ),
)
SAMPLE_MESSAGE = b"To: a@example.com\r\n\r\nHello a@example.com, leave: https://example.org/u\r\n"
DIGEST = Digest(
    subject="Grüße and 1 more",
    html="<p>Hello</p>",
    text="Hello",
    web_html="<p>web</p>",
    message_template=MESSAGE_TEMPLATE,
    sizes={"html": 12, "text": 5, "message": len(SAMPLE_MESSAGE)},
)


def test_the_manifest_tells_all_there_is_to_an_edition() -> None:
    files = edition_files(EDITION._replace(overflow=(post("third"),)), DIGEST, SAMPLE_MESSAGE)

    assert_golden(GOLDEN_FOLDER / "edition.json", files["edition.json"])


def test_the_parts_are_written_as_they_are() -> None:
    files = edition_files(EDITION, DIGEST, SAMPLE_MESSAGE)

    assert files["digest.html"] == b"<p>Hello</p>"
    assert files["digest.txt"] == b"Hello"
    assert files["message.eml"] == SAMPLE_MESSAGE


def test_the_hashes_are_of_the_other_files() -> None:
    files = edition_files(EDITION, DIGEST, SAMPLE_MESSAGE)
    hashes = json.loads(files["edition.json"])["sha256"]

    assert hashes == {name: sha256(files[name]).hexdigest() for name in hashes}
    assert sorted(hashes) == ["digest.html", "digest.txt", "message.eml"]


def test_each_byte_slot_is_where_the_manifest_says() -> None:
    files = edition_files(EDITION, DIGEST, SAMPLE_MESSAGE)
    fields = json.loads(files["edition.json"])["byte_slots"]

    values = [SAMPLE_MESSAGE[field["offset"] : field["offset"] + field["length"]] for field in fields]

    assert [field["name"] for field in fields] == ["to", "address", "unsubscribe_url"]
    assert values == [b"a@example.com", b"a@example.com", b"https://example.org/u"]


def test_the_same_edition_makes_the_same_files() -> None:
    assert edition_files(EDITION, DIGEST, SAMPLE_MESSAGE) == edition_files(EDITION, DIGEST, SAMPLE_MESSAGE)

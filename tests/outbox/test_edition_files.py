"""What `edition.json` tells, and that it tells the truth."""

import json
from hashlib import sha256
from pathlib import Path

from ketapress.model.message import ByteSlot, Digest, Letter, Place
from ketapress.outbox.manifest import edition_files
from support.factories import edition, post
from support.golden import assert_golden

GOLDEN = Path(__file__).parent / "golden"
EDITION = edition(post("first", title="Grüße"), post("second"))
LETTER = Letter(
    "00ff",
    (b"To: ", b"\r\n\r\nHello ", b", leave: ", b"\r\n"),
    (
        ByteSlot("to", Place.HEADER),
        ByteSlot("address", Place.TEXT),
        ByteSlot("unsubscribe_url", Place.TEXT),
    ),
)
SPECIMEN = b"To: a@example.com\r\n\r\nHello a@example.com, leave: https://example.org/u\r\n"
DIGEST = Digest(
    subject="Grüße and 1 more",
    html="<p>Hello</p>",
    text="Hello",
    web="<p>web</p>",
    letter=LETTER,
    sizes={"html": 12, "text": 5, "message": len(SPECIMEN)},
)


def test_the_manifest_tells_all_there_is_to_an_edition() -> None:
    files = edition_files(EDITION._replace(more=(post("third"),)), DIGEST, SPECIMEN)

    assert_golden(GOLDEN / "edition.json", files["edition.json"])


def test_the_parts_are_written_as_they_are() -> None:
    files = edition_files(EDITION, DIGEST, SPECIMEN)

    assert files["digest.html"] == b"<p>Hello</p>"
    assert files["digest.txt"] == b"Hello"
    assert files["message.eml"] == SPECIMEN


def test_the_hashes_are_of_the_other_files() -> None:
    files = edition_files(EDITION, DIGEST, SPECIMEN)
    told = json.loads(files["edition.json"])["sha256"]

    assert told == {name: sha256(files[name]).hexdigest() for name in told}
    assert sorted(told) == ["digest.html", "digest.txt", "message.eml"]


def test_each_byte_slot_is_where_the_manifest_says() -> None:
    files = edition_files(EDITION, DIGEST, SPECIMEN)
    slots = json.loads(files["edition.json"])["byte_slots"]

    values = [SPECIMEN[slot["offset"] : slot["offset"] + slot["length"]] for slot in slots]

    assert [slot["name"] for slot in slots] == ["to", "address", "unsubscribe_url"]
    assert values == [b"a@example.com", b"a@example.com", b"https://example.org/u"]


def test_the_same_edition_makes_the_same_files() -> None:
    assert edition_files(EDITION, DIGEST, SPECIMEN) == edition_files(EDITION, DIGEST, SPECIMEN)

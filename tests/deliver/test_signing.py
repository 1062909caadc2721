"""Mail signed here: what goes over the wire is what a verifier of others' make takes."""

import asyncio
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings as limits, strategies as st

from ketapress.deliver.dkim_workers import Signer
from ketapress.model.delivery import Phase
from ketapress.model.edition import EditionState
from ketapress.model.errors import KetapressError
from ketapress.model.settings import DkimSettings
from ketapress.relay.dkim import SigningKey, parsed_key, public_record, unsigned
from ketapress.testing import hang_up
from support.delivery_fixture import Press, new_press

press = new_press
SETTINGS = DkimSettings(domain="example.org", selector="news", key_file="key.pem")
RSA = rsa.generate_private_key(65537, 2048)
KEYS = {
    "rsa": SigningKey(SETTINGS, RSA),
    "ed25519": SigningKey(SETTINGS, Ed25519PrivateKey.generate()),
}
NOW = datetime(2023, 6, 12, 9, tzinfo=UTC)
READERS = [f"reader{n}@example.net" for n in range(30)]
kinds = pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)


def pem(key: object, lock: object = None) -> bytes:
    locked = lock or NoEncryption()
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)  # type: ignore[attr-defined]  # any key
    return written


def is_genuine(message: bytes, key: SigningKey) -> bool:
    name, record = public_record(key)

    def dns(asked: bytes, timeout: int = 5) -> bytes | None:
        return record.encode() if asked.decode().rstrip(".") == name else None

    return bool(dkim.verify(message, dnsfunc=dns))


def signed(key: SigningKey, *pieces: bytes) -> bytes:
    waiting = unsigned(key, pieces, NOW)
    return waiting.signed(key.sign(waiting.digest)) + b"".join(pieces)


@kinds
@pytest.mark.parametrize("connections", [1, 4])
def test_every_message_on_the_wire_is_signed_and_of_the_size_that_was_announced(
    press: Press, key: SigningKey, connections: int
) -> None:
    press.connections = connections
    press.subscribe(*READERS)
    press.edition()
    assert press.send(signing=Signer(key, 2)).sent == 30
    assert sorted(press.sent_to()) == sorted(READERS)
    sizes = {command.rpartition("=")[2] for command in press.relay.commands if "SIZE" in command}
    for each in press.relay.messages:
        assert each.message.startswith(b"DKIM-Signature: v=1; a=%s-sha256;" % each_kind(key))
        assert is_genuine(each.message, key)
        assert str(len(each.message)) in sizes


def each_kind(key: SigningKey) -> bytes:
    return b"rsa" if key.slow else b"ed25519"


@kinds
def test_a_message_in_doubt_is_sent_again_with_the_same_signature(press: Press, key: SigningKey) -> None:
    press.subscribe("ann@example.net")
    press.edition()
    press.relay.script(Phase.END_OF_DATA, hang_up, on=1)
    seen: list[bytes] = []

    class Noted(Signer):
        async def _written(self, *values: object) -> bytes:
            seen.append(await super()._written(*values))  # type: ignore[arg-type]  # what came in is passed on
            return seen[-1]

    press.send(signing=Noted(key, 1))
    press.clock.advance(NOW - NOW.replace(hour=8))
    assert press.send(signing=Noted(key, 1)).state is EditionState.DONE
    assert len(seen) == 2
    assert len(set(seen)) == 1


@kinds
def test_what_is_changed_on_the_way_is_noticed(key: SigningKey) -> None:
    head = (
        b"From: a@example.org\r\nTo: ",
        b"bob@example.net",
        (
            b"\r\nSubject: News\r\nList-Unsubscribe: <https://example.org/u>\r\n"
            b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nContent-Type: text/plain\r\n\r\nHello.\r\n"
        ),
    )
    whole = signed(key, *head)
    assert is_genuine(whole, key)
    assert is_genuine(whole.replace(b"Subject: News", b"Subject:   News"), key)  # a relay may fold anew
    for was, becomes in (
        (b"Hello.", b"Hallo."),
        (b"bob@", b"rob@"),
        (b"<https://example.org/u>", b"<https://example.com/u>"),
        (b"One-Click", b"Two-Click"),
        (b"To: bob", b"From: eve@example.net\r\nTo: bob"),
        (b"To: bob", b"Subject: Free money\r\nTo: bob"),
    ):
        assert not is_genuine(whole.replace(was, becomes, 1), key), was


texts = st.lists(st.sampled_from([b"a", b" ", b"  b", b"\r\n", b"\r\n\r\n", b"=20", b"x" * 600]), max_size=12)


@limits(max_examples=60, deadline=None)
@given(texts, texts, st.booleans())
def test_wherever_the_pieces_are_cut_the_signature_holds(
    first: list[bytes], then: list[bytes], whole: bool
) -> None:
    head = b"From: a@example.org\r\nSubject: a\r\n  long one\r\n\r\n"
    pieces = (
        [head + b"".join(first), *then] if whole else [b"From: a@example.org\r\nTo: ", b"b@c.de", b"\r\n\r\n"]
    )
    pieces += [*first, b"end\r\n"]
    assert is_genuine(signed(KEYS["ed25519"], *pieces), KEYS["ed25519"])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "no private key"),
        (b"hello", "no private key"),
        (pem(RSA, BestAvailableEncryption(b"x")), "password"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither"),
        (
            b"-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEA\n-----END PRIVATE KEY-----\n",
            "no private key",
        ),
    ],
)
def test_a_key_that_cannot_sign_is_named_with_the_reason(text: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parsed_key(SETTINGS, text)


def test_a_process_that_dies_stops_the_sending_and_nobody_is_lost(press: Press) -> None:
    press.subscribe(*READERS)
    press.edition()
    signer = Signer(KEYS["rsa"], 1)
    usual, asked = signer.begun, []

    def begun(*values: object) -> object:
        asked.append(values)
        if len(asked) == 10:
            signer._processes[0]._process.kill()
        return usual(*values)  # type: ignore[arg-type]  # what came in is passed on

    signer.begun = begun  # type: ignore[method-assign,assignment]  # one that kills
    with pytest.raises(KetapressError, match="signs mail ended"):
        press.send(signing=signer)
    assert press.send(signing=Signer(KEYS["rsa"], 1)).sent == 30
    assert sorted(press.sent_to()) == sorted(READERS)


def test_signatures_come_in_the_order_they_were_asked_for() -> None:
    async def scene() -> list[bytes]:
        async with Signer(KEYS["rsa"], 1) as signer:
            return list(await asyncio.gather(*(signer._signature(bytes([n]) * 32) for n in range(50))))

    assert asyncio.run(scene()) == [RSA_KEY.sign(bytes([n]) * 32) for n in range(50)]


RSA_KEY = KEYS["rsa"]

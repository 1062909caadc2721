"""Signed mail: an independent verifier accepts what the relay receives."""

import asyncio
from datetime import UTC, datetime
from typing import Any

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

from ketapress.deliver.dkim_workers import DkimSigner
from ketapress.model.delivery import Phase
from ketapress.model.edition import EditionState
from ketapress.model.errors import KetapressError
from ketapress.model.settings import DkimSettings
from ketapress.relay.dkim import SigningKey, parse_key, prepare_signature, public_record
from ketapress.testing import hang_up
from support.delivery_fixture import DeliveryFixture, new_delivery

delivery = new_delivery
SETTINGS = DkimSettings(domain="example.org", selector="news", key_file="key.pem")
RSA = rsa.generate_private_key(65537, 2048)
KEYS = {
    "rsa": SigningKey(SETTINGS, RSA),
    "ed25519": SigningKey(SETTINGS, Ed25519PrivateKey.generate()),
}
NOW = datetime(2023, 6, 12, 9, tzinfo=UTC)
READERS = [f"reader{n}@example.net" for n in range(30)]
each_kind_of_key = pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)


def pem(key: object, encryption: Any = None) -> bytes:
    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())  # type: ignore[attr-defined]  # any key
    return data


def is_genuine(message: bytes, key: SigningKey) -> bool:
    name, record = public_record(key)

    def dns(query: bytes, timeout: int = 5) -> bytes | None:
        return record.encode() if query.decode().rstrip(".") == name else None

    return bool(dkim.verify(message, dnsfunc=dns))


def sign_message(key: SigningKey, *chunks: bytes) -> bytes:
    pending = prepare_signature(key, chunks, NOW)
    return pending.complete(key.sign(pending.digest)) + b"".join(chunks)


@each_kind_of_key
@pytest.mark.parametrize("connections", [1, 4])
def test_every_message_on_the_wire_is_signed_and_of_the_size_that_was_announced(
    delivery: DeliveryFixture, key: SigningKey, connections: int
) -> None:
    delivery.connections = connections
    delivery.subscribe(*READERS)
    delivery.add_edition()
    assert delivery.send(signer=DkimSigner(key, 2)).sent == 30
    assert sorted(delivery.recipients()) == sorted(READERS)
    sizes = {command.rpartition("=")[2] for command in delivery.relay.commands if "SIZE" in command}
    for received in delivery.relay.messages:
        assert received.message.startswith(b"DKIM-Signature: v=1; a=%s-sha256;" % each_kind(key))
        assert is_genuine(received.message, key)
        assert str(len(received.message)) in sizes


def each_kind(key: SigningKey) -> bytes:
    return b"rsa" if key.is_slow else b"ed25519"


@each_kind_of_key
def test_a_message_in_doubt_is_sent_again_with_the_same_signature(
    delivery: DeliveryFixture, key: SigningKey
) -> None:
    delivery.subscribe("ann@example.net")
    delivery.add_edition()
    delivery.relay.script(Phase.END_OF_DATA, hang_up, on=1)
    fields: list[bytes] = []

    class RecordingSigner(DkimSigner):
        async def _complete(self, *values: object) -> bytes:
            fields.append(await super()._complete(*values))  # type: ignore[arg-type]  # the arguments are passed on
            return fields[-1]

    delivery.send(signer=RecordingSigner(key, 1))
    delivery.clock.advance(NOW - NOW.replace(hour=8))
    assert delivery.send(signer=RecordingSigner(key, 1)).state is EditionState.DONE
    assert len(fields) == 2
    assert len(set(fields)) == 1


@each_kind_of_key
def test_what_is_changed_on_the_way_is_noticed(key: SigningKey) -> None:
    head = (
        b"From: a@example.org\r\nTo: ",
        b"bob@example.net",
        (
            b"\r\nSubject: News\r\nList-Unsubscribe: <https://example.org/u>\r\n"
            b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nContent-Type: text/plain\r\n\r\nHello.\r\n"
        ),
    )
    message = sign_message(key, *head)
    assert is_genuine(message, key)
    assert is_genuine(message.replace(b"Subject: News", b"Subject:   News"), key)  # a relay may fold it again
    for old, new in (
        (b"Hello.", b"Hallo."),
        (b"bob@", b"rob@"),
        (b"<https://example.org/u>", b"<https://example.com/u>"),
        (b"One-Click", b"Two-Click"),
        (b"To: bob", b"From: eve@example.net\r\nTo: bob"),
        (b"To: bob", b"Subject: Free money\r\nTo: bob"),
    ):
        assert not is_genuine(message.replace(old, new, 1), key), old


chunk_lists = st.lists(
    st.sampled_from([b"a", b" ", b"  b", b"\r\n", b"\r\n\r\n", b"=20", b"x" * 600]), max_size=12
)


@limits(max_examples=60, deadline=None)
@given(chunk_lists, chunk_lists, st.booleans())
def test_wherever_the_pieces_are_cut_the_signature_holds(
    first: list[bytes], second: list[bytes], message: bool
) -> None:
    head = b"From: a@example.org\r\nSubject: a\r\n  long one\r\n\r\n"
    chunks = (
        [head + b"".join(first), *second]
        if message
        else [b"From: a@example.org\r\nTo: ", b"b@c.de", b"\r\n\r\n"]
    )
    chunks += [*first, b"end\r\n"]
    assert is_genuine(sign_message(KEYS["ed25519"], *chunks), KEYS["ed25519"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not a private key"),
        (b"hello", "not a private key"),
        (pem(RSA, BestAvailableEncryption(b"x")), "password"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither"),
        (
            b"-----BEGIN PRIVATE KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEA\n-----END PRIVATE KEY-----\n",
            "not a private key",
        ),
    ],
)
def test_a_key_that_cannot_sign_is_named_with_the_reason(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_key(SETTINGS, text)


def test_a_process_that_dies_stops_the_sending_and_nobody_is_lost(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*READERS)
    delivery.add_edition()
    signer = DkimSigner(KEYS["rsa"], 1)
    start_signature, calls = signer.start_signature, []

    def kill_process(*values: object) -> object:
        calls.append(values)
        if len(calls) == 10:
            signer._processes[0]._process.kill()
        return start_signature(*values)  # type: ignore[arg-type]  # the arguments are passed on

    signer.start_signature = kill_process  # type: ignore[method-assign,assignment]  # it kills
    with pytest.raises(KetapressError, match="signs mail ended"):
        delivery.send(signer=signer)
    assert delivery.send(signer=DkimSigner(KEYS["rsa"], 1)).sent == 30
    assert sorted(delivery.recipients()) == sorted(READERS)


def test_signatures_come_in_the_order_they_were_asked_for() -> None:
    async def run() -> list[bytes]:
        async with DkimSigner(KEYS["rsa"], 1) as signer:
            return list(await asyncio.gather(*(signer._sign(bytes([n]) * 32) for n in range(50))))

    assert asyncio.run(run()) == [RSA_KEY.sign(bytes([n]) * 32) for n in range(50)]


RSA_KEY = KEYS["rsa"]

"""A DKIM signature for a message (RFC 6376), with RSA or Ed25519 (RFC 8463).

In: a private key in PEM, a message in pieces, a moment. Out: the header field that goes before the message, and the
record that a domain has to publish. Header fields are signed relaxed, because relays fold them anew; the body is signed
as it is, because what is quoted-printable has no blanks that anybody takes away.

What begins every message of a letter is hashed once. The same message and moment give the same signature.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from ketapress.model.settings import DkimSettings

SHORTEST = 1024  # bits; RFC 8301, 3.2: verifiers refuse shorter keys
_ONCE = (b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type")
"""Signed once more than they are there, so that nobody adds a second one that is shown instead."""

_MORE = (
    b"list-unsubscribe",  # RFC 8058, 4: both have to be covered
    b"list-unsubscribe-post",
    b"list-id",
    b"feedback-id",
    b"auto-submitted",
    b"precedence",
)
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_END = b"\r\n\r\n"  # of the header
_WIDTH = 72


class SigningKey(NamedTuple):
    """A private key, and under which name its public half is published."""

    settings: DkimSettings
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def slow(self) -> bool:
        """Whether a signature takes so long (RSA: half a millisecond) that it is worth a process of its own."""
        return isinstance(self.private, RSAPrivateKey)

    @property
    def size(self) -> int:
        """Bytes of a signature."""
        return self.private.key_size // 8 if isinstance(self.private, RSAPrivateKey) else 64

    def sign(self, digest: bytes) -> bytes:
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, PKCS1v15(), Prehashed(SHA256()))
        return self.private.sign(digest)


class Unsigned(NamedTuple):
    """A signature's header field up to its last value, and what has to be signed for that."""

    field: bytes
    digest: bytes

    def signed(self, signature: bytes) -> bytes:
        """The whole field, with the line end that parts it from the message."""
        return b"%s%s\r\n" % (self.field, _folded(base64.b64encode(signature)))


def parsed_key(settings: DkimSettings, pem: bytes) -> SigningKey:
    """The key of a PEM file. Raises ValueError with what is wrong, for a person."""
    try:
        private = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("it is locked with a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("it is no private key in PEM") from None
    if isinstance(private, Ed25519PrivateKey):
        return SigningKey(settings, private)
    if not isinstance(private, RSAPrivateKey):
        raise ValueError("it is neither an RSA nor an Ed25519 key")  # noqa: TRY004 - the file is wrong, not a type
    if private.key_size < SHORTEST:
        raise ValueError(
            f"it has {private.key_size} bits, and keys of fewer than {SHORTEST} count for nothing"
        )
    return SigningKey(settings, private)


def public_record(key: SigningKey) -> tuple[str, str]:
    """The name and the text of the TXT record that the domain has to publish (RFC 6376, 3.6.1; RFC 8463, 4)."""
    public = key.private.public_key()
    if isinstance(key.private, RSAPrivateKey):
        kind, data = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, data = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = f"{key.settings.selector}._domainkey.{key.settings.domain}"
    return name, f"v=DKIM1; k={kind}; p={base64.b64encode(data).decode('ascii')}"


def unsigned(key: SigningKey, pieces: Sequence[bytes], moment: datetime) -> Unsigned:
    """What has to be signed so that this message is. `moment` is its Date: a repeat is the same to the byte."""
    head, body_hash = _halves(pieces)
    fields = _relaxed(head)
    names, signed = _covered(fields)
    kind = b"rsa" if key.slow else b"ed25519"
    field = (
        b"DKIM-Signature: v=1; a=%s-sha256; c=relaxed/simple; d=%s;\r\n s=%s; t=%d;\r\n h=%s;\r\n bh=%s;\r\n b="
        % (
            kind,
            key.settings.domain.encode("idna"),
            key.settings.selector.encode("ascii"),
            int(moment.timestamp()),
            b":\r\n  ".join(names),
            base64.b64encode(body_hash),
        )
    )
    [(name, own)] = _relaxed(field)
    whole = b"".join([*(b"%s:%s\r\n" % each for each in signed), b"%s:%s" % (name, own)])
    return Unsigned(field, hashlib.sha256(whole).digest())


def signature_length(key: SigningKey, waiting: Unsigned) -> int:
    """How many bytes the signature will make the message longer."""
    return len(waiting.signed(bytes(key.size)))


def _halves(pieces: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The header with its last line end, and the hash of the body."""
    for place, piece in enumerate(pieces):
        cut = _cut(piece)
        if cut is None:
            continue
        head = b"".join([*pieces[:place], cut[0]])
        rest = b"".join(pieces[place + 1 :]).rstrip(b"\r\n")
        if _END in head or not rest:
            break
        body = cut[1].copy()
        body.update(rest)
        body.update(b"\r\n")
        return head, body.digest()
    head, _, text = b"".join(pieces).partition(_END)
    return head + b"\r\n", hashlib.sha256(text.rstrip(b"\r\n") + b"\r\n").digest()


@lru_cache(maxsize=16)
def _cut(piece: bytes) -> "tuple[bytes, hashlib._Hash] | None":
    """A piece that the header ends in: what of it is header, and a hash that the rest of it has gone into."""
    head, end, text = piece.partition(_END)
    return (head + b"\r\n", hashlib.sha256(text)) if end else None


def _relaxed(head: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values as RFC 6376, 3.4.2 wants them."""
    fields = []
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((name.rstrip().lower(), _BLANKS.sub(b" ", value).strip()))
    return fields


def _covered(fields: Sequence[tuple[bytes, bytes]]) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
    """The names that are listed as signed, and the fields that are: the last of a name first (5.4.2)."""
    names: list[bytes] = []
    signed: list[tuple[bytes, bytes]] = []
    for wanted in (*_ONCE, *_MORE):
        found = [each for each in reversed(fields) if each[0] == wanted]
        signed += found
        names += [wanted] * (len(found) + (wanted in _ONCE))
    return names, signed


def _folded(text: bytes) -> bytes:
    return b"\r\n ".join(text[place : place + _WIDTH] for place in range(0, len(text), _WIDTH))

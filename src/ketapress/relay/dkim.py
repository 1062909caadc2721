"""DKIM signatures (RFC 6376) with RSA or Ed25519 (RFC 8463). The same message and date give the same signature.

Header fields are signed in relaxed form, because relays fold them again; the body in simple form, because
quoted-printable text has no trailing spaces that a relay would remove.
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

MIN_KEY_BITS = 1024  # RFC 8301, 3.2: verifiers refuse shorter keys
_OVERSIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"mime-version",
    b"content-type",
)
"""Signed once more than they occur, so that a second field of this name, which some clients would show, breaks the
signature (RFC 6376, 8.15)."""

_SIGNED = (
    b"list-unsubscribe",  # RFC 8058, 4: both must be signed
    b"list-unsubscribe-post",
    b"list-id",
    b"feedback-id",
    b"auto-submitted",
    b"precedence",
)
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SPACES = re.compile(rb"[ \t]+")
_HEADER_END = b"\r\n\r\n"
_LINE_WIDTH = 72


class SigningKey(NamedTuple):
    """A private key, and the domain and selector of its public key."""

    settings: DkimSettings
    private_key: RSAPrivateKey | Ed25519PrivateKey

    @property
    def is_slow(self) -> bool:
        """Whether a signature takes long enough for a process of its own (RSA: half a millisecond)."""
        return isinstance(self.private_key, RSAPrivateKey)

    @property
    def signature_size(self) -> int:
        """Bytes of a signature."""
        return self.private_key.key_size // 8 if isinstance(self.private_key, RSAPrivateKey) else 64

    def sign(self, digest: bytes) -> bytes:
        if isinstance(self.private_key, RSAPrivateKey):
            return self.private_key.sign(digest, PKCS1v15(), Prehashed(SHA256()))
        return self.private_key.sign(digest)


class PendingSignature(NamedTuple):
    """A DKIM-Signature field up to its last value, and the digest to sign for that value."""

    field: bytes
    digest: bytes

    def complete(self, signature: bytes) -> bytes:
        """Return the whole field with its line end."""
        text = base64.b64encode(signature)
        lines = (text[start : start + _LINE_WIDTH] for start in range(0, len(text), _LINE_WIDTH))
        return b"%s%s\r\n" % (self.field, b"\r\n ".join(lines))


def parse_key(settings: DkimSettings, pem: bytes) -> SigningKey:
    """Parse a private key in PEM. Raises ValueError with a reason for people."""
    try:
        private_key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError("it is locked with a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("it is not a private key in PEM format") from None
    if isinstance(private_key, Ed25519PrivateKey):
        return SigningKey(settings, private_key)
    if not isinstance(private_key, RSAPrivateKey):
        raise ValueError("it is neither an RSA nor an Ed25519 key")  # noqa: TRY004 - the file is wrong, not a type
    if private_key.key_size < MIN_KEY_BITS:
        raise ValueError(f"it has {private_key.key_size} bits; verifiers ignore keys below {MIN_KEY_BITS}")
    return SigningKey(settings, private_key)


def public_record(key: SigningKey) -> tuple[str, str]:
    """Return name and text of the TXT record that the domain has to publish (RFC 6376, 3.6.1; RFC 8463, 4)."""
    public_key = key.private_key.public_key()
    if isinstance(key.private_key, RSAPrivateKey):
        kind, data = "rsa", public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, data = "ed25519", public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = f"{key.settings.selector}._domainkey.{key.settings.domain}"
    return name, f"v=DKIM1; k={kind}; p={base64.b64encode(data).decode('ascii')}"


def prepare_signature(key: SigningKey, chunks: Sequence[bytes], date: datetime) -> PendingSignature:
    """Return what has to be signed for a message. `date` is its Date, so that a repeat is the same to the byte."""
    header, body_hash = _split_message(chunks)
    names, fields = _select_fields(_relax_header(header))
    field = (
        b"DKIM-Signature: v=1; a=%s-sha256; c=relaxed/simple; d=%s;\r\n s=%s; t=%d;\r\n h=%s;\r\n bh=%s;\r\n b="
        % (
            b"rsa" if key.is_slow else b"ed25519",
            key.settings.domain.encode("idna"),
            key.settings.selector.encode("ascii"),
            int(date.timestamp()),
            b":\r\n  ".join(names),
            base64.b64encode(body_hash),
        )
    )
    [(name, value)] = _relax_header(field)
    data = b"".join([*(b"%s:%s\r\n" % pair for pair in fields), b"%s:%s" % (name, value)])
    return PendingSignature(field, hashlib.sha256(data).digest())


def _split_message(chunks: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the header with its last line end, and the hash of the body.

    The chunk with the end of the header is the same in all messages of an edition: what it holds of the body is hashed
    once.
    """
    for index, chunk in enumerate(chunks):
        parts = _split_chunk(chunk)
        if parts is None:
            continue
        header = b"".join([*chunks[:index], parts[0]])
        rest = b"".join(chunks[index + 1 :]).rstrip(b"\r\n")
        if _HEADER_END in header or not rest:
            break
        body_hash = parts[1].copy()
        body_hash.update(rest)
        body_hash.update(b"\r\n")
        return header, body_hash.digest()
    header, _, body = b"".join(chunks).partition(_HEADER_END)
    return header + b"\r\n", hashlib.sha256(body.rstrip(b"\r\n") + b"\r\n").digest()


@lru_cache(maxsize=16)
def _split_chunk(chunk: bytes) -> "tuple[bytes, hashlib._Hash] | None":
    """Return the header part of a chunk and a hash of its body part, or None if the header does not end in it."""
    header, end, body = chunk.partition(_HEADER_END)
    return (header + b"\r\n", hashlib.sha256(body)) if end else None


def _relax_header(header: bytes) -> list[tuple[bytes, bytes]]:
    """Return names and values in relaxed form (RFC 6376, 3.4.2)."""
    fields = []
    for line in _FOLD.sub(b"", header).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((name.rstrip().lower(), _SPACES.sub(b" ", value).strip()))
    return fields


def _select_fields(
    fields: Sequence[tuple[bytes, bytes]],
) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
    """Return the names for `h=`, and the fields that are signed: the last of each name first (RFC 6376, 5.4.2)."""
    names: list[bytes] = []
    selection: list[tuple[bytes, bytes]] = []
    for name in (*_OVERSIGNED, *_SIGNED):
        matches = [field for field in reversed(fields) if field[0] == name]
        selection += matches
        names += [name] * (len(matches) + (name in _OVERSIGNED))
    return names, selection

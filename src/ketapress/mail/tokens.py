"""Signed tokens in the links of mail: they name a subscription and a purpose, and hold no address.

A token has no date and no state, so links never expire; the store knows whether the subscription still exists.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b

from ketapress.model.edition import Slot
from ketapress.model.settings import Settings
from ketapress.model.urls import join_url

# Three bytes identify the secret, eight hold the id, sixteen sign both: 27 bytes are 36 characters of base64 without a
# spare bit, so no token has a second valid spelling.
_KEY_BYTES = 3
_ID_BYTES = 8
_MAC_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{36}")

SAMPLE_TOKEN = "specimen-this-link-leads-nowhere-000"  # noqa: S105 - no secret: as long as a token, and never valid


class Purpose(StrEnum):
    """The purpose of a token. A token of one purpose is invalid for every other."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"


def create_token(secret: str, purpose: Purpose, subscription_id: int) -> str:
    """Return 36 characters of URL-safe base64 (RFC 4648, 5): key id, subscription id, and a keyed BLAKE2b as MAC."""
    key = _derive_key(secret)
    id_bytes = subscription_id.to_bytes(_ID_BYTES, "big")
    return urlsafe_b64encode(_key_id(key) + id_bytes + _mac(key, purpose, id_bytes)).decode("ascii")


def read_token(secrets: Sequence[str], purpose: Purpose, token: str) -> int:
    """Return the subscription id of a token that one of the secrets signed. Raises ValueError for any other text."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("the link is not complete")
    raw = urlsafe_b64decode(token)
    key_id, id_bytes, mac = raw[:_KEY_BYTES], raw[_KEY_BYTES:-_MAC_BYTES], raw[-_MAC_BYTES:]
    for key in map(_derive_key, secrets):
        if key_id == _key_id(key) and hmac.compare_digest(mac, _mac(key, purpose, id_bytes)):
            return int.from_bytes(id_bytes, "big")
    raise ValueError("the link is not genuine")


def unsubscribe_url(web_base_url: str, secret: str, subscription_id: int) -> str:
    """Return the URL that takes a GET (a page that asks) and the one-click POST of RFC 8058."""
    return _url_prefix(web_base_url, Purpose.UNSUBSCRIBE) + create_token(
        secret, Purpose.UNSUBSCRIBE, subscription_id
    )


def preferences_url(web_base_url: str, secret: str, subscription_id: int) -> str:
    return _url_prefix(web_base_url, Purpose.PREFERENCES) + create_token(
        secret, Purpose.PREFERENCES, subscription_id
    )


def sample_url(web_base_url: str, purpose: Purpose) -> str:
    """Return the URL in a sample message: as long as a real one, and always refused."""
    return _url_prefix(web_base_url, purpose) + SAMPLE_TOKEN


def edition_url(settings: Settings, slot: Slot) -> str:
    """Return the URL of an edition's page in the archive."""
    return settings.page_url(f"archive/{slot.newsletter}/{slot.key}.html")


@lru_cache(maxsize=16)
def _url_prefix(web_base_url: str, purpose: Purpose) -> str:
    """Return the part that all links of a purpose share; cached, because it is joined for each message."""
    return join_url(web_base_url, f"{purpose.value}/")


@lru_cache(maxsize=16)
def _derive_key(secret: str) -> bytes:
    """Return a key of fixed length: BLAKE2b takes at most 64 bytes, and a secret may be longer."""
    return blake2b(secret.encode(), digest_size=32, person=b"ketapress links").digest()


@lru_cache(maxsize=16)
def _key_id(key: bytes) -> bytes:
    return blake2b(key, digest_size=_KEY_BYTES, person=b"ketapress key id").digest()


def _mac(key: bytes, purpose: Purpose, id_bytes: bytes) -> bytes:
    mac = _mac_hasher(key, purpose).copy()
    mac.update(id_bytes)
    return mac.digest()


@lru_cache(maxsize=16)
def _mac_hasher(key: bytes, purpose: Purpose) -> blake2b:
    return blake2b(digest_size=_MAC_BYTES, key=key, person=purpose.value.encode())

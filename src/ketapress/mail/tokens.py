"""Links with a signed, opaque token: who they are for, and for what, without an address in them.

In: a secret, a purpose, the number of a subscription. Out: URLs, and the number again from a token that is genuine.
Never a date or a state: whether the subscription still exists is the store's to know.
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

# Three bytes say which secret, eight carry the number, sixteen sign both: 27 bytes are 36 characters without a spare
# bit, so no second spelling of a token is genuine.
_KEY_BYTES = 3
_ID_BYTES = 8
_MAC_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{36}")

SAMPLE_TOKEN = "specimen-this-link-leads-nowhere-000"  # noqa: S105 - no secret: as long as a token, and never genuine


class Purpose(StrEnum):
    """What a token is good for. One made for one purpose is refused for every other."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"


def create_token(secret: str, purpose: Purpose, subscription_id: int) -> str:
    """36 characters of the URL-safe alphabet (RFC 4648, 5): key id, subscription, keyed BLAKE2b of purpose and both."""
    key_id, hasher = _signing_context(secret, purpose)
    id_bytes = subscription_id.to_bytes(_ID_BYTES, "big")
    mac = hasher.copy()
    mac.update(id_bytes)
    return urlsafe_b64encode(key_id + id_bytes + mac.digest()).decode("ascii")


def read_token(secrets: Sequence[str], purpose: Purpose, text: str) -> int:
    """The subscription that a token was made for, under any of the secrets. Raises ValueError where it is not genuine."""
    if not _TOKEN.fullmatch(text):
        raise ValueError("the link is not complete")
    raw = urlsafe_b64decode(text)
    key_id, id_bytes, mac = raw[:_KEY_BYTES], raw[_KEY_BYTES:-_MAC_BYTES], raw[-_MAC_BYTES:]
    for key in map(_derive_key, secrets):
        if key_id == _key_id(key) and hmac.compare_digest(mac, _mac(key, purpose, id_bytes)):
            return int.from_bytes(id_bytes, "big")
    raise ValueError("the link is not genuine")


def unsubscribe_url(web_base_url: str, secret: str, subscription_id: int) -> str:
    """Takes a GET for a page that asks, and the one-click POST of RFC 8058."""
    return _token_url(
        web_base_url, Purpose.UNSUBSCRIBE, create_token(secret, Purpose.UNSUBSCRIBE, subscription_id)
    )


def preferences_url(web_base_url: str, secret: str, subscription_id: int) -> str:
    return _token_url(
        web_base_url, Purpose.PREFERENCES, create_token(secret, Purpose.PREFERENCES, subscription_id)
    )


def sample_url(web_base_url: str, purpose: Purpose) -> str:
    """What stands in a specimen: as long as the real link, and refused."""
    return _token_url(web_base_url, purpose, SAMPLE_TOKEN)


def edition_url(settings: Settings, slot: Slot) -> str:
    """The web version of an edition, a page of the archive."""
    return settings.page_url(f"archive/{slot.newsletter}/{slot.key}.html")


def _token_url(web_base_url: str, purpose: Purpose, token: str) -> str:
    return _url_prefix(web_base_url, purpose) + token


@lru_cache(maxsize=16)
def _url_prefix(web_base_url: str, purpose: Purpose) -> str:
    """What all links of a purpose begin with."""
    return join_url(web_base_url, f"{purpose.value}/")


@lru_cache(maxsize=16)
def _signing_context(secret: str, purpose: Purpose) -> tuple[bytes, blake2b]:
    """What a token needs that is the same for everybody."""
    key = _derive_key(secret)
    return _key_id(key), _mac_hasher(key, purpose)


@lru_cache(maxsize=16)
def _derive_key(secret: str) -> bytes:
    """A key of fixed length: BLAKE2b takes at most 64 bytes, a secret may be longer."""
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

"""What a request's headers ask for: nothing new, a part, or a compressed copy (RFC 9110, 12.5.3, 13 and 14).

In: header values as they came, and what is known of the file. Out: decisions. Pure; a header that makes no sense counts
as one that was not sent.
"""

import re
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import NamedTuple

_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_CODING = re.compile(r"([a-z*-]+)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?")


class Validators(NamedTuple):
    """What tells one content of a file from another: a strong entity tag, and when it was changed (seconds since 1970)."""

    etag: str
    changed: int

    @property
    def last_modified(self) -> str:
        return formatdate(self.changed, usegmt=True)


def is_unchanged(validators: Validators, none_match: str | None, modified_since: str | None) -> bool:
    """Whether the asker has this content already. If-None-Match decides alone where it was sent (RFC 9110, 13.2.2)."""
    if none_match is not None:
        return none_match.strip() == "*" or validators.etag in _ENTITY_TAG.findall(none_match)
    since = _seconds(modified_since)
    return since is not None and validators.changed <= since


def byte_range(
    size: int, asked: str | None, validators: Validators, if_range: str | None
) -> tuple[int, int] | None:
    """First and last byte of the part that is asked for; None for the whole. Raises ValueError where there is no such part.

    More than one part at once is answered with the whole, as RFC 9110, 14.2 allows.
    """
    found = _RANGE.fullmatch(asked.strip()) if asked else None
    if found is None or not any(found.groups()) or not _is_same(validators, if_range):
        return None
    first, last = found.groups()
    if not first:
        begin, end = max(size - int(last), 0), size - 1
    else:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < begin:
            return None
    if begin > end:
        raise ValueError("the file has no such part")
    return begin, end


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether the asker would rather have the file compressed by gzip (RFC 9110, 12.5.3)."""
    if not accept_encoding:
        return False
    weights = {
        found[1]: float(found[2] or 1)
        for each in accept_encoding.lower().split(",")
        if (found := _CODING.fullmatch(each.strip()))
    }
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _is_same(validators: Validators, if_range: str | None) -> bool:
    """Whether a part of this content fits what the asker has of it; a weak tag never does (RFC 9110, 13.1.5)."""
    return if_range is None or if_range.strip() in {validators.etag, validators.last_modified}


def _seconds(http_date: str | None) -> int | None:
    try:
        moment = parsedate_to_datetime(http_date) if http_date else None
    except (ValueError, OverflowError, IndexError):
        return None
    return int(_in_utc(moment).timestamp()) if moment else None


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

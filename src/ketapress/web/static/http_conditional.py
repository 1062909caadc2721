"""Conditional requests, ranges and content codings (RFC 9110, 12.5.3, 13 and 14).

Takes header values as they were sent; a malformed header counts as absent. Pure.
"""

import re
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from typing import NamedTuple

_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_CODING = re.compile(r"([a-z*-]+)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?")


class Validators(NamedTuple):
    """A strong entity tag, and the time of the last change in seconds since 1970."""

    etag: str
    mtime: int

    @property
    def last_modified(self) -> str:
        return formatdate(self.mtime, usegmt=True)


def is_not_modified(validators: Validators, if_none_match: str | None, if_modified_since: str | None) -> bool:
    """Tell whether the client has the current content. If-None-Match takes precedence (RFC 9110, 13.2.2)."""
    if if_none_match is not None:
        return if_none_match.strip() == "*" or validators.etag in _ENTITY_TAG.findall(if_none_match)
    try:
        moment = parsedate_to_datetime(if_modified_since) if if_modified_since else None
        if moment is None:
            return False
        return validators.mtime <= int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError, IndexError):
        return False


def parse_range(
    size: int, header: str | None, validators: Validators, if_range: str | None
) -> tuple[int, int] | None:
    """Return the first and last byte of the requested range; None for the complete file.

    Raises ValueError where the range is outside the file. A request for several ranges gets the complete file, as
    RFC 9110, 14.2 allows. A weak tag in If-Range never matches (RFC 9110, 13.1.5).
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not any(match.groups()):
        return None
    if if_range is not None and if_range.strip() not in {validators.etag, validators.last_modified}:
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start > end:
        raise ValueError("the range is outside the file")
    return start, end


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Tell whether the client prefers gzip to no compression (RFC 9110, 12.5.3)."""
    if not accept_encoding:
        return False
    weights = {
        match[1]: float(match[2] or 1)
        for coding in accept_encoding.lower().split(",")
        if (match := _CODING.fullmatch(coding.strip()))
    }
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)

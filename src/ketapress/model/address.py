"""Parse e-mail addresses by a strict grammar.

The standard library rewrites addresses that it does not understand (CVE-2023-27043), and SMTP clients pass any text on to
the relay. An address is therefore checked before it is stored and again before mail is sent to it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ketapress.model import illegal_characters

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"  # RFC 5322, 3.2.3
_LOCAL = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*\Z")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")  # RFC 1123, 2.1
_MAILBOX = re.compile(r"\s*(?:(?P<name>[^<>]*?)\s*<(?P<angle>[^<>\s]+)>|(?P<bare>[^<>\s]+))\s*\Z")
_CONTROL = re.compile(f"[{illegal_characters.LINE}]")


class Mailbox(NamedTuple):
    """A display name and an address: `Name <digest@example.org>`."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def parse_address(text: str) -> str:
    """Return the address as SMTP uses it: local part unchanged, domain in lower case and IDNA.

    Raises ValueError with a sentence for the person who wrote it. Quoted local parts, comments, address literals
    and non-ASCII local parts (they need SMTPUTF8, RFC 6531) are refused.
    """
    text = text.strip()
    if not text:
        raise ValueError("the address is empty")
    if _CONTROL.search(text):
        raise ValueError("the address contains a control character or a line break")
    local, at_sign, domain = text.rpartition("@")
    if not at_sign:
        raise ValueError("the address has no @")
    if not _LOCAL.match(local):
        raise ValueError(_describe_local_part_error(local))
    if len(local) > 64:  # noqa: PLR2004 - RFC 5321, 4.5.3.1.1
        raise ValueError("the part before the @ is longer than 64 characters")
    address = f"{local}@{_to_ascii_domain(domain)}"
    if len(address) > 254:  # noqa: PLR2004 - RFC 5321, 4.5.3.1.3 less the angle brackets
        raise ValueError("the address is longer than 254 characters")
    return address


def address_key(address: str) -> str:
    """Return the key under which an address is unique: the address in lower case.

    Addresses that differ in a plus tag or a dot stay different.
    """
    return address.lower()


def parse_mailbox(text: str) -> Mailbox:
    """Parse `Name <address>` or a bare address; the name is returned without quotes. Raises ValueError."""
    match = _MAILBOX.match(text)
    if not match:
        raise ValueError("it is not of the form `Name <name@example.org>`")
    name = (match["name"] or "").strip().strip('"').strip()
    if _CONTROL.search(name):
        raise ValueError("the name contains a control character or a line break")
    return Mailbox(name, parse_address(match["angle"] or match["bare"]))


def _describe_local_part_error(local: str) -> str:
    if not local:
        return "there is nothing before the @"
    if not local.isascii():
        return "the part before the @ contains non-ASCII characters, which most relays cannot deliver to"
    if local.startswith(".") or local.endswith(".") or ".." in local:
        return "the part before the @ starts or ends with a period, or contains two periods in a row"
    invalid = next(
        (character for character in local if not re.match(_ATEXT, character) and character != "."), " "
    )
    return f"the part before the @ contains {invalid!r}"


@lru_cache(maxsize=1024)  # most subscribers share a few domains
def _to_ascii_domain(domain: str) -> str:
    """Return the domain in lower case and IDNA. Raises ValueError where a label is invalid."""
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"{domain!r} is not a valid domain name") from None
    labels = ascii_domain.lower().split(".")
    if len(labels) < 2 and ascii_domain.lower() != "localhost":  # noqa: PLR2004 - a name and a top-level domain
        raise ValueError(f"{domain!r} is not a complete domain name")
    if not all(_LABEL.match(label) for label in labels) or labels[-1].isdigit():
        raise ValueError(f"{domain!r} is not a valid domain name")
    return ".".join(labels)

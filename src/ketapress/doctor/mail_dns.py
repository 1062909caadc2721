"""What the DNS says of a domain that mail is sent from: SPF, DKIM, DMARC, and whether they align. Judges, asks nobody.

In: a domain, its settings, and functions that answer for the DNS. Out: findings. The limits are those of RFC 7208
(SPF), RFC 6376 and 8301 (DKIM), RFC 7489 (DMARC); what is an error is what Gmail and Yahoo refuse bulk mail for.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from ketapress.doctor.finding import Finding, error, unseen, warning, well
from ketapress.doctor.resolver import UnansweredError
from ketapress.model.settings import DkimSettings

RESERVED = re.compile(
    r"(?:^|\.)(?:example|test|invalid|localhost|local|example\.(?:com|net|org))\Z", re.IGNORECASE
)
"""Domains that exist for documents and tests (RFC 2606, RFC 6762): nobody's mail comes from there."""

_MOST_LOOKUPS = 10  # RFC 7208, 4.6.4
_LOOKING = re.compile(r"[+?~-]?(include|a|mx|ptr|exists)(?=[:/]|\Z)|redirect(?==)", re.IGNORECASE)
_SHORTEST_KEY, _GOOD_KEY = 1024, 2048  # bits of RSA: RFC 8301, 3.2
_DER_FRAME = 34  # bytes that a public key in DER has around its modulus


class Dns(Protocol):
    """The questions that are asked. Each raises UnansweredError when nobody answers."""

    def texts(self, name: str) -> tuple[str, ...]: ...
    def exchanges(self, name: str) -> tuple[str, ...]: ...
    def has_address(self, name: str) -> bool: ...


def domain_findings(
    domain: str, return_path: str, dkim: Sequence[DkimSettings], dns: Dns
) -> Iterator[Finding]:
    """All findings of one sender's domain. `return_path` is the domain of the envelope's sender.

    `dkim` is what is known of signatures: the settings, or selectors that somebody named.
    """
    if RESERVED.search(domain):
        yield warning(
            f"domain {domain}",
            "it is reserved for documents and tests, so no receiver takes mail from it.",
            "Set `from` of the newsletter to an address on a domain of yours.",
        )
        return
    try:
        yield _receives(domain, dns)
        yield _spf(return_path, dns)
        organisation, dmarc = _dmarc(domain, dns)
        yield dmarc
        yield _spf_aligns(domain, return_path, organisation)
        yield from (_dkim(each, domain, organisation, dns) for each in dkim)
        if not dkim:
            yield unseen(
                f"dkim {domain}",
                "whether the relay signs mail cannot be seen from here: its selector is not known.",
                f"`ketapress send-test` to an address of yours shows `dkim=pass header.d={domain}` in Authentication-Results; "
                "`ketapress doctor --selector NAME` looks at the key.",
            )
    except UnansweredError as silence:
        yield unseen(
            f"dns {domain}",
            f"SPF, DKIM and DMARC could not be looked up: {silence}",
            "Run it again with a network, or name a server with `--dns 192.0.2.1`.",
        )


def _receives(domain: str, dns: Dns) -> Finding:
    """Bounces and answers have to arrive somewhere (RFC 5321, 5.1)."""
    subject, exchanges = f"mx {domain}", dns.exchanges(domain)
    if exchanges == (".",):
        return error(subject, "it says that it takes no mail, so bounces and answers are lost.", _MX_CURE)
    if exchanges:
        return well(subject, f"bounces and answers go to {exchanges[0].rstrip('.')}.")
    if dns.has_address(domain):
        return warning(
            subject, "it has no MX record, only an address; some receivers refuse such senders.", _MX_CURE
        )
    return error(subject, "it has neither MX nor address, so many receivers refuse mail from it.", _MX_CURE)


_MX_CURE = "Add an MX record for the host that takes its mail."


def _spf(domain: str, dns: Dns) -> Finding:
    subject, found = f"spf {domain}", _records(dns.texts(domain), "v=spf1")
    if not found:
        return error(
            subject,
            "there is no SPF record, so receivers cannot tell your relay from a forger.",
            f'Add a TXT record to {domain}: "v=spf1 include:… ~all", with what your relay\'s provider says for `include`.',
        )
    if len(found) > 1:
        cure = "Make one record of them: the terms of all between `v=spf1` and one `~all`."
        return error(
            subject, f"there are {len(found)} SPF records, which counts as none (RFC 7208, 4.5).", cure
        )
    lookups = _lookups(found[0], dns, frozenset({domain.lower()}))
    if lookups > _MOST_LOOKUPS:
        cure = "Take out what is not used any more, or write addresses (`ip4:`, `ip6:`) in place of names."
        return error(
            subject,
            f"it takes more than {_MOST_LOOKUPS} lookups, and receivers stop there with an error.",
            cure,
        )
    ending = _ending(found[0])
    if ending == "+all":
        return error(
            subject, f"`{found[0]}` lets everybody send as {domain}.", "Write `~all` or `-all` at its end."
        )
    if ending in {"", "?all"}:
        cure = "End it with `~all` or `-all`."
        return warning(subject, f"`{found[0]}` does not say what becomes of other senders.", cure)
    return well(subject, f"`{found[0]}`, {lookups} of {_MOST_LOOKUPS} lookups.")


def _records(texts: Sequence[str], version: str) -> list[str]:
    """The records of a version; its word ends there, so `v=spf10` is none (RFC 7208, 4.5)."""
    return [each for each in texts if re.split(r"[ ;]", each, maxsplit=1)[0].lower() == version]


def _ending(record: str) -> str:
    """What a record says of everybody else: `-all`, or empty where it does not; another record's word counts as one."""
    words = record.lower().split()
    named = [word if word[0] in "+?~-" else f"+{word}" for word in words if word.lstrip("+?~-") == "all"]
    return named[0] if named else ("redirect" if any(word.startswith("redirect=") for word in words) else "")


def _lookups(record: str, dns: Dns, seen: frozenset[str], left: int = _MOST_LOOKUPS) -> int:
    """How many questions a receiver has to ask for it, with those of what it includes; more than `left` is enough to know."""
    count = 0
    for word in record.split()[1:]:
        if count > left or not _LOOKING.match(word):
            continue
        count += 1
        name = re.split(r"[:=]", word, maxsplit=1)[-1].lower()
        others = word.lower().lstrip("+?~-").startswith(("include:", "redirect="))
        if others and "%" not in name and name not in seen:
            for each in _records(dns.texts(name), "v=spf1")[:1]:
                count += _lookups(each, dns, seen | {name}, left - count)
    return count


def _dmarc(domain: str, dns: Dns) -> tuple[str, Finding]:
    """The domain whose record counts (its own, or the nearest above), and how that record is."""
    subject, labels = f"dmarc {domain}", domain.split(".")
    for number in range(len(labels) - 1):
        above = ".".join(labels[number:])
        found = _records(dns.texts(f"_dmarc.{above}"), "v=dmarc1")
        if found:
            return above, _policy(subject, above, found)
    cure = f'Add a TXT record to _dmarc.{domain}: "v=DMARC1; p=none; rua=mailto:postmaster@{domain}".'
    return domain, error(
        subject, "there is no DMARC record, and Gmail and Yahoo ask senders of lists for one.", cure
    )


def _policy(subject: str, above: str, found: Sequence[str]) -> Finding:
    tags = _tags(found[0])
    if len(found) > 1:
        return error(
            subject, f"there are {len(found)} DMARC records, which counts as none.", "Keep one of them."
        )
    if tags.get("p", "").lower() not in {"none", "quarantine", "reject"}:
        return error(
            subject,
            f"`{found[0]}` has no policy that counts.",
            "Write `p=none`, `p=quarantine` or `p=reject` in it.",
        )
    where = "" if subject.endswith(f" {above}") else f", from {above}"
    return well(subject, f"`{found[0]}`{where}.")


def _spf_aligns(domain: str, return_path: str, organisation: str) -> Finding:
    subject = f"alignment {domain}"
    if _within(return_path, organisation) or _within(return_path, domain) or _within(domain, return_path):
        return well(subject, f"the envelope's sender is at {return_path}, so SPF counts for DMARC.")
    return warning(
        subject,
        f"the envelope's sender is at {return_path}, so SPF does not count for DMARC; only DKIM can.",
        f"Set `relay.return_path` to an address at {domain}, or see to it that the relay signs with d={domain}.",
    )


def _within(domain: str, other: str) -> bool:
    return f".{domain.lower()}".endswith(f".{other.lower()}")


def _dkim(known: DkimSettings, domain: str, organisation: str, dns: Dns) -> Finding:
    name = f"{known.selector}._domainkey.{known.domain}"
    subject = f"dkim {name}"
    found = [each for each in dns.texts(name) if "p=" in each.replace(" ", "")]
    wrong = _wrong_key(_tags(found[0])) if found else "there is no key, so every signature fails"
    if wrong:
        cure = f"Publish the public key of that selector, RSA of 2048 bits, as a TXT record of {name}."
        return error(subject, f"{wrong}.", cure)
    if not (_within(known.domain, organisation) or _within(domain, known.domain)):
        message = f"it signs for {known.domain}, which does not count for DMARC of {domain}."
        return warning(subject, message, f"Sign with d={domain}.")
    if (bits := _bits(_tags(found[0]))) < _GOOD_KEY:
        return warning(
            subject, f"its RSA key has about {bits} bits.", "Make one of 2048 bits (RFC 8301, 3.2)."
        )
    return well(subject, "there is a key for it.")


def _wrong_key(tags: Mapping[str, str]) -> str:
    """What makes receivers ignore a key; empty where nothing does."""
    try:
        bits = _bits(tags)
    except (binascii.Error, ValueError):
        return "its key is no base64"
    if not tags["p"]:
        return "its key is revoked (`p=` is empty), so every signature fails"
    return "its RSA key is shorter than 1024 bits, and receivers ignore it" if bits < _SHORTEST_KEY else ""


def _bits(tags: Mapping[str, str]) -> int:
    """The size of an RSA key, from that of its DER; an Ed25519 key counts as a good one (RFC 8463)."""
    key = base64.b64decode("".join(tags.get("p", "").split()), validate=True)
    return (len(key) - _DER_FRAME) * 8 if tags.get("k", "rsa").lower() == "rsa" else _GOOD_KEY


def _tags(record: str) -> dict[str, str]:
    """`k=v; k=v` (RFC 6376, 3.2)."""
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}

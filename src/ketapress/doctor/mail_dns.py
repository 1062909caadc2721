"""What the DNS says of a domain that mail is sent from: SPF, DKIM, DMARC, and whether they align. Judges, asks nobody.

In: a domain, its settings, and functions that answer for the DNS. Out: findings. The limits are those of RFC 7208
(SPF), RFC 6376 and 8301 (DKIM), RFC 7489 (DMARC); what is an error is what Gmail and Yahoo refuse bulk mail for.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from ketapress.doctor.finding import Finding, error, ok, skipped, warning
from ketapress.doctor.resolver import UnansweredError
from ketapress.model.settings import DkimSettings

RESERVED = re.compile(
    r"(?:^|\.)(?:example|test|invalid|localhost|local|example\.(?:com|net|org))\Z", re.IGNORECASE
)
"""Domains that exist for documents and tests (RFC 2606, RFC 6762): nobody's mail comes from there."""

_MAX_LOOKUPS = 10  # RFC 7208, 4.6.4
_LOOKUP_TERM = re.compile(r"[+?~-]?(include|a|mx|ptr|exists)(?=[:/]|\Z)|redirect(?==)", re.IGNORECASE)
_MIN_KEY_BITS, _GOOD_KEY_BITS = 1024, 2048  # bits of RSA: RFC 8301, 3.2
_DER_OVERHEAD = 34  # bytes that a public key in DER has around its modulus


class Resolver(Protocol):
    """The questions that are asked. Each raises UnansweredError when nobody answers."""

    def txt_records(self, name: str) -> tuple[str, ...]: ...
    def mx_hosts(self, name: str) -> tuple[str, ...]: ...
    def has_address(self, name: str) -> bool: ...


def check_sender_domain(
    domain: str, return_path: str, dkim: Sequence[DkimSettings], dns: Resolver
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
        yield _check_mx(domain, dns)
        yield _check_spf(return_path, dns)
        organizational_domain, dmarc = _check_dmarc(domain, dns)
        yield dmarc
        yield _check_spf_alignment(domain, return_path, organizational_domain)
        yield from (_check_dkim_key(key, domain, organizational_domain, dns) for key in dkim)
        if not dkim:
            yield skipped(
                f"dkim {domain}",
                "whether the relay signs mail cannot be seen from here: its selector is not known.",
                f"`ketapress send-test` to an address of yours shows `dkim=pass header.d={domain}` in Authentication-Results; "
                "`ketapress doctor --selector NAME` looks at the key.",
            )
    except UnansweredError as failure:
        yield skipped(
            f"dns {domain}",
            f"SPF, DKIM and DMARC could not be looked up: {failure}",
            "Run it again with a network, or name a server with `--dns 192.0.2.1`.",
        )


def _check_mx(domain: str, dns: Resolver) -> Finding:
    """Bounces and answers have to arrive somewhere (RFC 5321, 5.1)."""
    subject, hosts = f"mx {domain}", dns.mx_hosts(domain)
    if hosts == (".",):
        return error(subject, "it says that it takes no mail, so bounces and answers are lost.", _MX_CURE)
    if hosts:
        return ok(subject, f"bounces and answers go to {hosts[0].rstrip('.')}.")
    if dns.has_address(domain):
        return warning(
            subject, "it has no MX record, only an address; some receivers refuse such senders.", _MX_CURE
        )
    return error(subject, "it has neither MX nor address, so many receivers refuse mail from it.", _MX_CURE)


_MX_CURE = "Add an MX record for the host that takes its mail."


def _check_spf(domain: str, dns: Resolver) -> Finding:
    subject, records = f"spf {domain}", _select_records(dns.txt_records(domain), "v=spf1")
    if not records:
        return error(
            subject,
            "there is no SPF record, so receivers cannot tell your relay from a forger.",
            f'Add a TXT record to {domain}: "v=spf1 include:… ~all", with what your relay\'s provider says for `include`.',
        )
    if len(records) > 1:
        cure = "Make one record of them: the terms of all between `v=spf1` and one `~all`."
        return error(
            subject, f"there are {len(records)} SPF records, which counts as none (RFC 7208, 4.5).", cure
        )
    lookup_count = _count_lookups(records[0], dns, frozenset({domain.lower()}))
    if lookup_count > _MAX_LOOKUPS:
        cure = "Take out what is not used any more, or write addresses (`ip4:`, `ip6:`) in place of names."
        return error(
            subject,
            f"it takes more than {_MAX_LOOKUPS} lookups, and receivers stop there with an error.",
            cure,
        )
    all_term = _find_all_term(records[0])
    if all_term == "+all":
        return error(
            subject, f"`{records[0]}` lets everybody send as {domain}.", "Write `~all` or `-all` at its end."
        )
    if all_term in {"", "?all"}:
        cure = "End it with `~all` or `-all`."
        return warning(subject, f"`{records[0]}` does not say what becomes of other senders.", cure)
    return ok(subject, f"`{records[0]}`, {lookup_count} of {_MAX_LOOKUPS} lookups.")


def _select_records(records: Sequence[str], version: str) -> list[str]:
    """The records of a version; its word ends there, so `v=spf10` is none (RFC 7208, 4.5)."""
    return [record for record in records if re.split(r"[ ;]", record, maxsplit=1)[0].lower() == version]


def _find_all_term(record: str) -> str:
    """What a record says of everybody else: `-all`, or empty where it does not; another record's word counts as one."""
    words = record.lower().split()
    all_terms = [word if word[0] in "+?~-" else f"+{word}" for word in words if word.lstrip("+?~-") == "all"]
    return (
        all_terms[0]
        if all_terms
        else ("redirect" if any(word.startswith("redirect=") for word in words) else "")
    )


def _count_lookups(record: str, dns: Resolver, visited: frozenset[str], limit: int = _MAX_LOOKUPS) -> int:
    """How many questions a receiver has to ask for it, with those of what it includes; more than `left` is enough to know."""
    count = 0
    for word in record.split()[1:]:
        if count > limit or not _LOOKUP_TERM.match(word):
            continue
        count += 1
        name = re.split(r"[:=]", word, maxsplit=1)[-1].lower()
        has_target = word.lower().lstrip("+?~-").startswith(("include:", "redirect="))
        if has_target and "%" not in name and name not in visited:
            for included in _select_records(dns.txt_records(name), "v=spf1")[:1]:
                count += _count_lookups(included, dns, visited | {name}, limit - count)
    return count


def _check_dmarc(domain: str, dns: Resolver) -> tuple[str, Finding]:
    """The domain whose record counts (its own, or the nearest above), and how that record is."""
    subject, labels = f"dmarc {domain}", domain.split(".")
    for number in range(len(labels) - 1):
        candidate = ".".join(labels[number:])
        records = _select_records(dns.txt_records(f"_dmarc.{candidate}"), "v=dmarc1")
        if records:
            return candidate, _check_policy(subject, candidate, records)
    cure = f'Add a TXT record to _dmarc.{domain}: "v=DMARC1; p=none; rua=mailto:postmaster@{domain}".'
    return domain, error(
        subject, "there is no DMARC record, and Gmail and Yahoo ask senders of lists for one.", cure
    )


def _check_policy(subject: str, record_domain: str, records: Sequence[str]) -> Finding:
    tags = _parse_tags(records[0])
    if len(records) > 1:
        return error(
            subject, f"there are {len(records)} DMARC records, which counts as none.", "Keep one of them."
        )
    if tags.get("p", "").lower() not in {"none", "quarantine", "reject"}:
        return error(
            subject,
            f"`{records[0]}` has no policy that counts.",
            "Write `p=none`, `p=quarantine` or `p=reject` in it.",
        )
    origin = "" if subject.endswith(f" {record_domain}") else f", from {record_domain}"
    return ok(subject, f"`{records[0]}`{origin}.")


def _check_spf_alignment(domain: str, return_path: str, organizational_domain: str) -> Finding:
    subject = f"alignment {domain}"
    if (
        _is_within(return_path, organizational_domain)
        or _is_within(return_path, domain)
        or _is_within(domain, return_path)
    ):
        return ok(subject, f"the envelope's sender is at {return_path}, so SPF counts for DMARC.")
    return warning(
        subject,
        f"the envelope's sender is at {return_path}, so SPF does not count for DMARC; only DKIM can.",
        f"Set `relay.return_path` to an address at {domain}, or see to it that the relay signs with d={domain}.",
    )


def _is_within(domain: str, other: str) -> bool:
    return f".{domain.lower()}".endswith(f".{other.lower()}")


def _check_dkim_key(key: DkimSettings, domain: str, organizational_domain: str, dns: Resolver) -> Finding:
    name = f"{key.selector}._domainkey.{key.domain}"
    subject = f"dkim {name}"
    records = [record for record in dns.txt_records(name) if "p=" in record.replace(" ", "")]
    key_error = (
        _key_error(_parse_tags(records[0])) if records else "there is no key, so every signature fails"
    )
    if key_error:
        cure = f"Publish the public key of that selector, RSA of 2048 bits, as a TXT record of {name}."
        return error(subject, f"{key_error}.", cure)
    if not (_is_within(key.domain, organizational_domain) or _is_within(domain, key.domain)):
        message = f"it signs for {key.domain}, which does not count for DMARC of {domain}."
        return warning(subject, message, f"Sign with d={domain}.")
    if (bits := _key_bits(_parse_tags(records[0]))) < _GOOD_KEY_BITS:
        return warning(
            subject, f"its RSA key has about {bits} bits.", "Make one of 2048 bits (RFC 8301, 3.2)."
        )
    return ok(subject, "there is a key for it.")


def _key_error(tags: Mapping[str, str]) -> str:
    """What makes receivers ignore a key; empty where nothing does."""
    try:
        bits = _key_bits(tags)
    except (binascii.Error, ValueError):
        return "its key is no base64"
    if not tags["p"]:
        return "its key is revoked (`p=` is empty), so every signature fails"
    return "its RSA key is shorter than 1024 bits, and receivers ignore it" if bits < _MIN_KEY_BITS else ""


def _key_bits(tags: Mapping[str, str]) -> int:
    """The size of an RSA key, from that of its DER; an Ed25519 key counts as a good one (RFC 8463)."""
    key = base64.b64decode("".join(tags.get("p", "").split()), validate=True)
    return (len(key) - _DER_OVERHEAD) * 8 if tags.get("k", "rsa").lower() == "rsa" else _GOOD_KEY_BITS


def _parse_tags(record: str) -> dict[str, str]:
    """`k=v; k=v` (RFC 6376, 3.2)."""
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}

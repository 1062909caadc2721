"""Check the DNS records of a sender's domain: SPF, DKIM, DMARC, and their alignment.

The limits are those of RFC 7208 (SPF), RFC 6376 and 8301 (DKIM), RFC 7489 (DMARC). A finding is an error where Gmail and
Yahoo refuse bulk mail for it.
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
"""Domains reserved for documentation and tests (RFC 2606, RFC 6762): no mail is sent from them."""

_MAX_LOOKUPS = 10  # RFC 7208, 4.6.4
_LOOKUP_TERM = re.compile(r"[+?~-]?(include|a|mx|ptr|exists)(?=[:/]|\Z)|redirect(?==)", re.IGNORECASE)
_MIN_KEY_BITS, _GOOD_KEY_BITS = 1024, 2048  # bits of RSA: RFC 8301, 3.2
_DER_OVERHEAD = 34  # bytes of a public key in DER beside its modulus


class Resolver(Protocol):
    """The DNS queries of the checks. Each raises UnansweredError where the DNS does not answer."""

    def txt_records(self, name: str) -> tuple[str, ...]: ...
    def mx_hosts(self, name: str) -> tuple[str, ...]: ...
    def has_address(self, name: str) -> bool: ...


def check_sender_domain(
    domain: str, return_path: str, dkim: Sequence[DkimSettings], dns: Resolver
) -> Iterator[Finding]:
    """Check one sender's domain. `return_path` is the domain of the envelope sender.

    `dkim` are the known keys of signatures: from the settings, or by selectors given on the command line.
    """
    if RESERVED.search(domain):
        yield warning(
            f"domain {domain}",
            "it is reserved for documentation and tests, so receivers refuse mail from it.",
            "Set `from` of the newsletter to an address at a domain that you own.",
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
                "signatures of the relay were not checked, because its selector is not known.",
                "Run `ketapress doctor --selector NAME`, or run `ketapress send-test` to an address of yours and look for "
                f"`dkim=pass header.d={domain}` in Authentication-Results.",
            )
    except UnansweredError as failure:
        yield skipped(
            f"dns {domain}",
            f"SPF, DKIM and DMARC could not be looked up: {failure}",
            "Run it again with a network connection, or name a server with `--dns 192.0.2.1`.",
        )


def _check_mx(domain: str, dns: Resolver) -> Finding:
    """Check that bounces and replies can be delivered (RFC 5321, 5.1)."""
    subject, hosts = f"mx {domain}", dns.mx_hosts(domain)
    if hosts == (".",):
        return error(
            subject, "its MX record says that it accepts no mail, so bounces and replies are lost.", _MX_CURE
        )
    if hosts:
        return ok(subject, f"bounces and replies go to {hosts[0].rstrip('.')}.")
    if dns.has_address(domain):
        return warning(
            subject,
            "it has an address record, but no MX record; some receivers refuse such senders.",
            _MX_CURE,
        )
    return error(
        subject,
        "it has neither an MX nor an address record, so many receivers refuse mail from it.",
        _MX_CURE,
    )


_MX_CURE = "Add an MX record with the host that accepts its mail."


def _check_spf(domain: str, dns: Resolver) -> Finding:
    subject, records = f"spf {domain}", _select_records(dns.txt_records(domain), "v=spf1")
    if not records:
        return error(
            subject,
            "there is no SPF record, so receivers cannot tell your relay from a forger's.",
            f'Add a TXT record to {domain}: "v=spf1 include:… ~all", with the `include` that your relay\'s provider documents.',
        )
    if len(records) > 1:
        cure = "Merge them into one record: all terms between `v=spf1` and one `~all`."
        return error(
            subject,
            f"there are {len(records)} SPF records, which counts as having none (RFC 7208, 4.5).",
            cure,
        )
    lookup_count = _count_lookups(records[0], dns, frozenset({domain.lower()}))
    if lookup_count > _MAX_LOOKUPS:
        cure = "Remove terms that are no longer used, or replace names by addresses (`ip4:`, `ip6:`)."
        return error(
            subject,
            f"it needs more than {_MAX_LOOKUPS} DNS lookups, at which receivers stop with an error.",
            cure,
        )
    all_term = _find_all_term(records[0])
    if all_term == "+all":
        return error(
            subject,
            f"`{records[0]}` allows every server to send as {domain}.",
            "End it with `~all` or `-all`.",
        )
    if all_term in {"", "?all"}:
        cure = "End it with `~all` or `-all`."
        return warning(subject, f"`{records[0]}` has no policy for other senders.", cure)
    return ok(subject, f"`{records[0]}`, {lookup_count} of {_MAX_LOOKUPS} lookups.")


def _select_records(records: Sequence[str], version: str) -> list[str]:
    """Return the records of a version, as a whole word: `v=spf10` is not SPF (RFC 7208, 4.5)."""
    return [record for record in records if re.split(r"[ ;]", record, maxsplit=1)[0].lower() == version]


def _find_all_term(record: str) -> str:
    """Return a record's policy for all other senders: `-all`, `redirect` where another record has it, or empty."""
    words = record.lower().split()
    all_terms = [word if word[0] in "+?~-" else f"+{word}" for word in words if word.lstrip("+?~-") == "all"]
    return (
        all_terms[0]
        if all_terms
        else ("redirect" if any(word.startswith("redirect=") for word in words) else "")
    )


def _count_lookups(record: str, dns: Resolver, visited: frozenset[str], limit: int = _MAX_LOOKUPS) -> int:
    """Count the DNS lookups of a record and of all that it includes. Stops counting beyond `limit`."""
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
    """Return the organizational domain (with a record of its own, or the nearest parent with one) and the finding."""
    subject, labels = f"dmarc {domain}", domain.split(".")
    for number in range(len(labels) - 1):
        candidate = ".".join(labels[number:])
        records = _select_records(dns.txt_records(f"_dmarc.{candidate}"), "v=dmarc1")
        if records:
            return candidate, _check_policy(subject, candidate, records)
    cure = f'Add a TXT record to _dmarc.{domain}: "v=DMARC1; p=none; rua=mailto:postmaster@{domain}".'
    return domain, error(
        subject, "there is no DMARC record, which Gmail and Yahoo require of bulk senders.", cure
    )


def _check_policy(subject: str, record_domain: str, records: Sequence[str]) -> Finding:
    tags = _parse_tags(records[0])
    if len(records) > 1:
        return error(
            subject,
            f"there are {len(records)} DMARC records, which counts as having none.",
            "Keep one of them.",
        )
    if tags.get("p", "").lower() not in {"none", "quarantine", "reject"}:
        return error(
            subject,
            f"`{records[0]}` has no valid policy.",
            "Add `p=none`, `p=quarantine` or `p=reject` to it.",
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
        return ok(subject, f"the envelope sender is at {return_path}, so SPF counts for DMARC.")
    return warning(
        subject,
        f"the envelope sender is at {return_path}, so SPF does not count for DMARC; only DKIM can.",
        f"Set `relay.return_path` to an address at {domain}, or make sure that the relay signs with d={domain}.",
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
            subject, f"its RSA key has about {bits} bits.", "Create a key of 2048 bits (RFC 8301, 3.2)."
        )
    return ok(subject, "the key is published.")


def _key_error(tags: Mapping[str, str]) -> str:
    """Return why receivers ignore a key; empty where they use it."""
    try:
        bits = _key_bits(tags)
    except (binascii.Error, ValueError):
        return "its key is not valid base64"
    if not tags["p"]:
        return "its key is revoked (`p=` is empty), so every signature fails"
    return "its RSA key is shorter than 1024 bits, and receivers ignore it" if bits < _MIN_KEY_BITS else ""


def _key_bits(tags: Mapping[str, str]) -> int:
    """Return the size of an RSA key, from that of its DER; an Ed25519 key counts as a good one (RFC 8463)."""
    key = base64.b64decode("".join(tags.get("p", "").split()), validate=True)
    return (len(key) - _DER_OVERHEAD) * 8 if tags.get("k", "rsa").lower() == "rsa" else _GOOD_KEY_BITS


def _parse_tags(record: str) -> dict[str, str]:
    """Parse `k=v; k=v` (RFC 6376, 3.2)."""
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}

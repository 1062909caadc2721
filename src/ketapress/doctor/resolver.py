"""Query the DNS with dnspython. Each query has a deadline; after the first without an answer, no more are sent.

A machine without a network therefore waits once, and not for each of twenty names.
"""

import dns.exception
import dns.name
import dns.resolver

QUERY_TIMEOUT = 4.0
"""Seconds for one query with all its retries."""


class UnansweredError(Exception):
    """The DNS does not answer: no network, no name server, or a refusal. The text says what happened."""


class DnsResolver:
    """Resolves names for `mail_dns`. `server` (address and port) replaces the name servers of the system."""

    def __init__(self, server: tuple[str, int] | None = None, *, seconds: float = QUERY_TIMEOUT) -> None:
        self._failure = ""
        try:
            self._resolver = dns.resolver.Resolver(configure=server is None)
        except dns.resolver.NoResolverConfiguration as error:
            self._failure = str(error)
            return
        if server is not None:
            self._resolver.nameservers, self._resolver.port = [server[0]], server[1]
        self._resolver.lifetime = seconds

    def txt_records(self, name: str) -> tuple[str, ...]:
        """Return the TXT records of a name, the strings of each joined; empty where there are none."""
        return tuple(
            b"".join(record.strings).decode("utf-8", "replace") for record in self._records(name, "TXT")
        )

    def mx_hosts(self, name: str) -> tuple[str, ...]:
        """Return the hosts that accept a domain's mail; `.` means that it accepts none (RFC 7505)."""
        return tuple(record.exchange.to_text() for record in self._records(name, "MX"))

    def has_address(self, name: str) -> bool:
        return bool(self._records(name, "A") or self._records(name, "AAAA"))

    def _records(self, name: str, kind: str) -> tuple:  # type: ignore[type-arg]  # dnspython has a class for each kind
        if self._failure:
            raise UnansweredError(self._failure)
        try:
            return tuple(self._resolver.resolve(name.rstrip(".") + ".", kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.name.LabelTooLong, dns.name.EmptyLabel, dns.name.NameTooLong):
            return ()
        except (dns.exception.DNSException, OSError) as error:
            self._failure = " ".join(str(error).split())[:200]
            raise UnansweredError(self._failure) from None

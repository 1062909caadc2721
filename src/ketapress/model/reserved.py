"""Domains reserved for examples and tests (RFC 2606; RFC 6761, section 6). Mail from them cannot be answered."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ketapress.model.errors import Problem
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.model.urls import is_loopback

RESERVED_TOP_LEVELS = ("test", "example", "invalid", "localhost")
EXAMPLE_DOMAINS = ("example.com", "example.net", "example.org")
RESERVED_CURE = (
    "Set the sender to an address at your domain, and `site.url` to the address where `public/` is served."
)


def is_reserved_domain(domain: str) -> bool:
    """Return whether a domain is reserved for examples and tests, or means this machine."""
    labels = domain.lower().rstrip(".").split(".")
    return (
        labels[-1] in RESERVED_TOP_LEVELS or ".".join(labels[-2:]) in EXAMPLE_DOMAINS or is_loopback(domain)
    )


def reserved_settings(settings: Settings, newsletter: NewsletterSettings) -> dict[str, str]:
    """Return the settings of a newsletter that name a reserved domain, each with its domain."""
    domains = {
        f"newsletters.{newsletter.name}.from": newsletter.sender.domain,
        "site.url": urlsplit(settings.site.url).hostname or "",
    }
    return {setting: domain for setting, domain in domains.items() if is_reserved_domain(domain)}


def describe_reserved_settings(domains: Mapping[str, str]) -> str:
    """Return the settings, each with its domain, and a verb: the beginning of a sentence."""
    names = " and ".join(f"`{setting}` ({domain})" for setting, domain in domains.items())
    return f"{names} {'is' if len(domains) == 1 else 'are'}"


def reserved_problem(domains: Mapping[str, str], newsletter: str, address: str) -> Problem:
    """Return the problem of a newsletter that has reserved domains in its settings and a real subscriber, `address`."""
    return Problem(
        code="settings.reserved",
        path="ketapress.toml",
        message=f"{describe_reserved_settings(domains)} reserved for examples and tests, but {address} subscribes to "
        f"{newsletter}. Replies and links in that mail would lead nowhere, so `send` refuses to send it.",
        cure=RESERVED_CURE,
    )

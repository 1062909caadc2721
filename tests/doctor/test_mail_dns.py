"""The DNS records of a sender's domain, queried over a real socket on this machine."""

from base64 import b64encode
from typing import Any

import pytest

from ketapress.doctor.finding import Finding, Health
from ketapress.doctor.mail_dns import check_sender_domain
from ketapress.doctor.resolver import DnsResolver
from ketapress.model.settings import DkimSettings

DOMAIN = "press.org"
KEY = DkimSettings(domain=DOMAIN, selector="s1", key_file="")


def key(octets: int) -> str:
    return f"v=DKIM1; k=rsa; p={b64encode(bytes(octets)).decode()}"


@pytest.fixture
def healthy(zone: Any) -> Any:
    zone.add(DOMAIN, "MX", "10 mx.press.org.")
    zone.add_text(DOMAIN, "v=spf1 include:_spf.relay.net ~all")
    zone.add_text(DOMAIN, "google-site-verification=nothing")
    zone.add_text("_spf.relay.net", "v=spf1 ip4:192.0.2.0/24 -all")
    zone.add_text("_dmarc.press.org", "v=DMARC1; p=none; rua=mailto:dmarc@press.org")
    zone.add_text("s1._domainkey.press.org", key(294))
    return zone


def check(
    zone: Any, domain: str = DOMAIN, return_path: str = DOMAIN, dkim: Any = (KEY,)
) -> dict[str, Finding]:
    resolver = DnsResolver(("127.0.0.1", zone.port), seconds=0.3)
    findings = {
        finding.subject.split()[0]: finding
        for finding in check_sender_domain(domain, return_path, dkim, resolver)
    }
    assert all(finding.cure for finding in findings.values() if finding.problem)
    return findings


def replace(zone: Any, name: str, *texts: str) -> None:
    zone.records.pop((f"{name}.", "TXT"), None)
    for record in texts:
        zone.add_text(name, record)


def test_a_domain_in_order_is_well_in_everything(healthy: Any) -> None:
    findings = check(healthy)
    assert {finding.health for finding in findings.values()} == {Health.OK}
    assert "1 of 10 lookups" in findings["spf"].message


@pytest.mark.parametrize(
    ("records", "health", "text"),
    [
        ([], Health.ERROR, "no SPF record"),
        (["v=spf10 -all"], Health.ERROR, "no SPF record"),
        (["v=spf1 -all", "v=spf1 ~all"], Health.ERROR, "counts as having none"),
        (["v=spf1 +all"], Health.ERROR, "allows every server"),
        (["v=spf1 all"], Health.ERROR, "allows every server"),
        (["v=spf1 mx"], Health.WARNING, "has no policy"),
        (["v=spf1 mx ?all"], Health.WARNING, "has no policy"),
        (["v=spf1 " + "mx " * 11 + "-all"], Health.ERROR, "more than 10 DNS lookups"),
        (["v=spf1 redirect=_spf.relay.net"], Health.OK, "1 of 10"),
        (["v=spf1 include:%{d}.relay.net -all"], Health.OK, "1 of 10"),
        (["V=SPF1 ip4:192.0.2.1 -ALL"], Health.OK, "0 of 10"),
    ],
)
def test_spf(healthy: Any, records: list[str], health: Health, text: str) -> None:
    replace(healthy, DOMAIN, *records)
    spf = check(healthy)["spf"]
    assert (spf.health, text in spf.message) == (health, True), spf


def test_spf_lookups_are_counted_through_what_is_included_and_circles_end(healthy: Any) -> None:
    replace(
        healthy,
        "_spf.relay.net",
        "v=spf1 include:_spf.relay.net include:press.org a mx exists:x.relay.net -all",
    )
    assert "6 of 10" in check(healthy)["spf"].message
    replace(healthy, "_spf.relay.net", "v=spf1 " + "include:b.relay.net " * 5 + "-all")
    replace(healthy, "b.relay.net", "v=spf1 a mx -all")
    assert "more than 10 DNS lookups" in check(healthy)["spf"].message


def test_dmarc_of_the_domain_above_counts(healthy: Any) -> None:
    replace(healthy, "news.press.org", "v=spf1 -all")
    findings = check(healthy, "news.press.org", "news.press.org")
    assert findings["dmarc"].health is Health.OK
    assert "from press.org" in findings["dmarc"].message


@pytest.mark.parametrize(
    ("records", "text"),
    [
        ([], "no DMARC record"),
        (["v=DMARC1; p=maybe"], "no valid policy"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "none"),
    ],
)
def test_dmarc_faults(healthy: Any, records: list[str], text: str) -> None:
    replace(healthy, "_dmarc.press.org", *records)
    dmarc = check(healthy)["dmarc"]
    assert dmarc.health is Health.ERROR
    assert text in dmarc.message


@pytest.mark.parametrize(
    ("record", "health", "text"),
    [
        ("v=DKIM1; p=", Health.ERROR, "revoked"),
        ("v=DKIM1; p=!!", Health.ERROR, "not valid base64"),
        (key(94), Health.ERROR, "shorter than 1024"),
        (key(161), Health.ERROR, "shorter than 1024"),
        (key(162), Health.WARNING, "about 1024 bits"),
        (f"v=DKIM1; k=ed25519; p={b64encode(bytes(32)).decode()}", Health.OK, "the key is published"),
        ("nothing of a key", Health.ERROR, "no key"),
    ],
)
def test_dkim_keys(healthy: Any, record: str, health: Health, text: str) -> None:
    replace(healthy, "s1._domainkey.press.org", record)
    dkim = check(healthy)["dkim"]
    assert (dkim.health, text in dkim.message) == (health, True), dkim


def test_a_signature_of_another_domain_does_not_align(healthy: Any) -> None:
    other = DkimSettings(domain="relay.net", selector="s1", key_file="")
    replace(healthy, "s1._domainkey.relay.net", key(294))
    assert "does not count for DMARC" in check(healthy, dkim=(other,))["dkim"].message


def test_an_unknown_selector_is_told_with_a_way_to_see(healthy: Any) -> None:
    dkim = check(healthy, dkim=())["dkim"]
    assert dkim.health is Health.SKIPPED
    assert "send-test" in dkim.cure


def test_a_return_path_elsewhere_does_not_align(healthy: Any) -> None:
    replace(healthy, "bounces.relay.net", "v=spf1 -all")
    assert check(healthy, return_path="bounces.relay.net")["alignment"].health is Health.WARNING
    replace(healthy, "bounces.press.org", "v=spf1 -all")
    assert check(healthy, return_path="bounces.press.org")["alignment"].health is Health.OK


@pytest.mark.parametrize(
    ("exchange", "text"), [("0 .", "accepts no mail"), ("", "neither an MX nor an address record")]
)
def test_a_domain_that_takes_no_bounces(healthy: Any, exchange: str, text: str) -> None:
    del healthy.records["press.org.", "MX"]
    if exchange:
        healthy.add(DOMAIN, "MX", exchange)
    assert text in check(healthy)["mx"].message


def test_domains_of_documents_are_named_and_not_looked_up(zone: Any) -> None:
    for domain in ("example.org", "mail.example", "x.test", "localhost"):
        [finding] = check(zone, domain).values()
        assert "reserved" in finding.message
    assert zone.questions == []


def test_without_a_network_one_question_is_asked_and_it_is_a_finding(healthy: Any) -> None:
    healthy.is_silent = True
    findings = check(healthy)
    assert findings["dns"].health is Health.SKIPPED
    assert len({query.split()[0] for query in healthy.questions}) == 1

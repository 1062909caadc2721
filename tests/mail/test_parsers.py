"""Messages read by independent programs: three parsers agree, and spam filters find nothing."""

import json
import os
import re
import subprocess
from base64 import b64encode
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

import pytest

from ketapress.mail.digest import build_sample_message
from ketapress.mail.personalize import merge_values, message_bytes
from ketapress.model.address import Mailbox
from ketapress.model.delivery import Recipient
from support.factories import REPOSITORY, edition
from support.sample_posts import (
    ARABIC,
    MAILTO_NEWSLETTER,
    SETTINGS,
    arabic_post,
    build_sample_digest,
    chinese_post,
    hostile_post,
    rich_post,
    seed_post,
)

_ARABIC_SENDER = MAILTO_NEWSLETTER._replace(sender=Mailbox("نشرة المثال, الأولى", "digest@example.org"))
_SUBJECT = (
    "Ein sehr langer Betreff, der über eine Zeile geht, mit “Zeichen” 😀 und 中文, damit er gefaltet wird"
)
CASES = {
    "seed": (edition(seed_post()), SETTINGS, MAILTO_NEWSLETTER, ""),
    "bulletin": (edition(seed_post()), SETTINGS, MAILTO_NEWSLETTER._replace(theme="bulletin"), ""),
    "letter": (edition(seed_post()), SETTINGS, MAILTO_NEWSLETTER._replace(theme="letter"), ""),
    "rich": (edition(rich_post(), chinese_post()), SETTINGS, MAILTO_NEWSLETTER, _SUBJECT),
    "arabic": (edition(arabic_post(), arabic_post("second")), ARABIC, _ARABIC_SENDER, ""),
    "hostile": (edition(hostile_post(), seed_post()), SETTINGS, MAILTO_NEWSLETTER, ""),
    "chinese": (edition(*(chinese_post(f"c{n}") for n in range(6))), SETTINGS, MAILTO_NEWSLETTER, ""),
}
DIGESTS = {name: build_sample_digest(*made) for name, made in CASES.items()}

_PARSER_SCRIPT = """
const { simpleParser } = require("mailparser");
const { default: PostalMime } = require("postal-mime");
const input = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
(async () => {
  const output = {};
  for (const [name, data] of Object.entries(input)) {
    const octets = Buffer.from(data, "base64");
    const one = await simpleParser(octets, { skipTextToHtml: true, skipHtmlToText: true });
    const other = await PostalMime.parse(octets);
    const list = one.headers.get("list").unsubscribe;
    const raw = other.headers.find(({ key }) => key === "list-unsubscribe").value;
    output[name] = {
      mailparser: { subject: one.subject, sender: [one.from.value[0].name, one.from.value[0].address],
        leave: [list.url, list.mail], text: one.text, html: one.html },
      "postal-mime": { subject: other.subject, sender: [other.from.name, other.from.address],
        leave: [...raw.matchAll(/<(?:mailto:)?([^>]+)>/g)].map((found) => found[1]),
        text: other.text, html: other.html },
    };
  }
  process.stdout.write(JSON.stringify(output));
})();
"""


@pytest.fixture(scope="module")
def read_by_node() -> dict[str, dict[str, Any]]:
    messages = {name: b64encode(_message(name)).decode() for name in CASES}
    folders = os.pathsep.join([str(REPOSITORY / "node_modules"), os.environ.get("NODE_PATH", "")])
    result = subprocess.run(
        ["node", "-e", _PARSER_SCRIPT],
        input=json.dumps(messages),
        env={**os.environ, "NODE_PATH": folders},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    parsed_messages: dict[str, dict[str, Any]] = json.loads(result.stdout)
    return parsed_messages


@pytest.mark.mail_parsers
@pytest.mark.parametrize("parser", ["mailparser", "postal-mime"])
@pytest.mark.parametrize("name", CASES)
def test_other_parsers_read_what_was_written(
    read_by_node: dict[str, dict[str, Any]], name: str, parser: str
) -> None:
    digest, newsletter = DIGESTS[name], CASES[name][2]
    parsed_message = read_by_node[name][parser]

    assert parsed_message["subject"] == digest.subject
    assert parsed_message["sender"] == [newsletter.sender.name, newsletter.sender.address]
    assert parsed_message["leave"][0].startswith("https://example.org/unsubscribe/")
    assert parsed_message["leave"][1] == "leave@example.org?subject=unsubscribe"
    assert (
        parsed_message["text"].split() == digest.text.split()
    )  # base64 is padded with spaces around merge fields
    assert parsed_message["html"].split() == digest.html.split()


@pytest.mark.parametrize("name", CASES)
def test_pythons_parser_reads_what_was_written(name: str) -> None:
    digest, newsletter = DIGESTS[name], CASES[name][2]
    email_message = message_from_bytes(_message(name), policy=policy.SMTP)
    text, html = email_message.iter_parts()

    assert email_message["Subject"] == digest.subject
    assert email_message["From"].addresses[0].display_name == newsletter.sender.name
    assert email_message["From"].addresses[0].addr_spec == newsletter.sender.address
    assert email_message.defects == []
    assert text.get_content().split() == digest.text.split()
    assert html.get_content().split() == digest.html.split()


@pytest.mark.spamassassin
def test_spamassassin_finds_nothing() -> None:
    """One mailbox for all messages, because the program takes two seconds to start."""
    now = datetime.now(UTC)
    mailbox = b"".join(b"From x Thu Jan  1 00:00:00 1970\n" + _message(name, now) + b"\n" for name in CASES)
    command = ["spamassassin", "--local", "--mbox", "--cf=report_safe 0", "--cf=use_bayes 0"]
    report = subprocess.run(
        command, input=mailbox.replace(b"\r\n", b"\n"), capture_output=True, timeout=120, check=True
    ).stdout.decode()

    scores = [
        float(score) for score in re.findall(r"^X-Spam-Status:.*? score=(-?[\d.]+)", report, re.MULTILINE)
    ]

    assert len(scores) == len(CASES)
    assert max(scores) <= 0, dict(zip(CASES, scores, strict=True))


def _message(name: str, now: datetime | None = None) -> bytes:
    """Return a sample message, or with `now` that of one subscriber, because filters check the date."""
    edition, settings, newsletter, _ = CASES[name]
    message_template = DIGESTS[name].message_template
    if now is None:
        return build_sample_message(message_template, settings, newsletter, edition.slot)
    return message_bytes(
        message_template,
        merge_values(
            message_template,
            Recipient(subscription_id=7, address="reader@example.com", name="A Reader"),
            sender_domain=newsletter.sender.domain,
            web_base_url="https://example.org",
            secret="x" * 32,
            date=now,
        ),
    )

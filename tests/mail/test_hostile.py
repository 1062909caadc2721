"""Hostile settings, posts and templates: no injected header or script, no network, no data of another subscriber."""

import json
import quopri
import re
import subprocess
import sys
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import html5lib
import pytest

from ketapress.mail.digest import build_digest, build_sample_message
from ketapress.mail.lint.run import message_problems
from ketapress.mail.personalize import merge_values, message_bytes
from ketapress.model.delivery import Recipient
from ketapress.model.errors import ConfigurationError, Severity
from ketapress.model.message import Digest, MessageTemplate
from ketapress.model.post import Image
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.settings.loader import parse_settings
from ketapress.templates.environment import Templates
from support.factories import WEEKLY, edition, post
from support.sample_posts import MAILTO_NEWSLETTER, SETTINGS, build_sample_digest, hostile_post, seed_post

pytestmark = pytest.mark.filterwarnings("ignore::html5lib.constants.DataLossWarning")

TOML = """
[site]
title = "The Example Press"
url = "https://example.org"

[newsletters.weekly]
title = "The Example Weekly"
schedule = "0 8 * * mon"
starts = 2023-06-05
from = "The Example Weekly <digest@example.org>"
"""
HOSTILE_VALUES = (
    "x\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>",
    '"><script src="https://evil.example/x.js"></script><a href="javascript:alert(1)" onclick="x">',
    "=?utf-8?q?=0D=0ABcc:_victim=40example.com?= <victim@example.com>, {{ 7 * 7 }}",
    "\u2028--=_boundary\u0085Content-Type: text/html\x0b\ud800 \ufffe\U0001f600" * 3,
)
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Precedence",
    "Feedback-ID",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
]
SITE_KEYS = ("title", "description", "language", "postal_address", "logo", "accent")
NEWSLETTER_KEYS = ("title", "from", "reply_to", "unsubscribe_mailto", "subject", "theme", "font")
POST_FIELDS = ("title", "summary", "html", "lang", "dir", "url", "canonical")


@pytest.mark.parametrize("value", HOSTILE_VALUES)
@pytest.mark.parametrize("field", POST_FIELDS)
def test_no_field_of_a_post_leaves_its_place(field: str, value: str) -> None:
    hostile_post_value = post(**{field: value})

    _assert_sound(
        build_sample_digest(edition(hostile_post_value, seed_post()), newsletter=MAILTO_NEWSLETTER),
        MAILTO_NEWSLETTER,
    )


@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_nothing_that_is_listed_or_shown_beside_a_post_leaves_its_place(value: str) -> None:
    image = Image(url=f"https://example.org/a.png{value}", alt=value, width=10, height=10)
    post_with_value = post(tags=(value,), authors=(value, value), image=image)

    _assert_sound(
        build_sample_digest(edition(post_with_value), newsletter=MAILTO_NEWSLETTER), MAILTO_NEWSLETTER
    )


@pytest.mark.parametrize("value", HOSTILE_VALUES[:3])
@pytest.mark.parametrize(
    ("section", "key"),
    [
        *(("site", key) for key in SITE_KEYS),
        *(("newsletters.weekly", key) for key in NEWSLETTER_KEYS),
    ],
)
def test_a_setting_is_refused_or_stays_in_its_place(section: str, key: str, value: str) -> None:
    try:
        site_settings = parse_settings(_with_setting(section, key, value), {})
    except ConfigurationError as error:
        error_text = str(error)
    else:
        error_text = ""
    if error_text:
        assert key in error_text
        return
    newsletter = site_settings.newsletters["weekly"]
    seed_edition = edition(seed_post())
    subject = Templates(Path()).render_line(newsletter.subject, {"posts": seed_edition.posts}, "subject")

    _assert_sound(
        build_sample_digest(seed_edition, site_settings, newsletter, subject), newsletter, site_settings
    )


def test_a_template_with_a_script_holds_its_edition(tmp_path: Path) -> None:
    template = tmp_path / "templates" / "mail" / "magazine.html"
    template.parent.mkdir(parents=True)
    template.write_text(
        '{% extends "mail/digest.html" %}{% block masthead %}<tr><td onclick="x()">'
        "<h1>x</h1><script>alert(1)</script></td></tr>{% endblock %}"
    )
    seed_edition = edition(seed_post())

    script_digest = build_digest(
        seed_edition, SETTINGS, WEEKLY, "x\r\nBcc: victim@example.com", Templates(tmp_path)
    )
    message = build_sample_message(script_digest.message_template, SETTINGS, WEEKLY, seed_edition.slot)
    problems = message_problems(seed_edition, script_digest, message, WEEKLY.max_bytes)

    assert b"\nBcc" not in message
    assert {"mail.not-shown", "mail.handler"} <= {
        problem.code for problem in problems if problem.severity is Severity.ERROR
    }


def test_no_name_is_resolved_and_no_line_opened_while_a_letter_is_made() -> None:
    """Python's audit hook sees every socket and file, whichever library opens it."""
    program = """
import sys
from support.sample_posts import build_sample_digest, hostile_post, rich_post
from support.factories import edition
build_sample_digest(edition(rich_post()))
events = []
watched = ("socket.", "urllib.", "http.", "ftplib.", "subprocess.", "os.system", "os.exec")
sys.addaudithook(lambda event, _: events.append(event) if event.startswith(watched) else None)
build_sample_digest(edition(hostile_post(), rich_post("second")))
print(len(events), events[:3])
"""
    paths = [path for path in sys.path if path]
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{program}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.stdout == "0 []\n", result.stderr


def test_each_of_a_thousand_readers_gets_their_own_links_and_nobody_elses() -> None:
    message_template = build_sample_digest(edition(hostile_post(), seed_post())).message_template
    known_tokens: set[bytes] = set()
    for number in range(1000):
        message = message_bytes(message_template, _merge_values(message_template, number))
        text = quopri.decodestring(message.replace(b"\r\n", b"\n"))
        addresses = set(re.findall(rb"reader-\d+@example\.com", text))
        tokens = set(re.findall(rb"(?:unsubscribe|preferences)/([A-Za-z0-9_-]{36})", text))

        assert addresses == {b"reader-%d@example.com" % number}
        assert len(tokens) == 2
        assert not tokens & known_tokens
        known_tokens |= tokens


def _merge_values(message_template: MessageTemplate, number: int) -> dict[str, str]:
    return merge_values(
        message_template,
        Recipient(subscription_id=number, address=f"reader-{number}@example.com", name=f"Reader {number}"),
        sender_domain="example.org",
        web_base_url="https://example.org",
        secret="x" * 32,
        date=datetime(2023, 6, 12, 8, tzinfo=UTC),
    )


def _with_setting(section: str, key: str, value: str) -> str:
    """Return the settings with the line of one key replaced or added."""
    head, section_header, tail = TOML.partition(f"[{section}]\n")
    tail = re.sub(rf"^{key} = .*\n", "", tail, count=1, flags=re.MULTILINE)
    return f"{head}{section_header}{key} = {json.dumps(value)}\n{tail}"


def _assert_sound(digest: Digest, newsletter: NewsletterSettings, site_settings: Settings = SETTINGS) -> None:
    message = build_sample_message(digest.message_template, site_settings, newsletter, edition().slot)
    email_message = message_from_bytes(message, policy=policy.SMTP)
    optional = set() if newsletter.reply_to else {"Reply-To"}

    assert email_message.keys() == [name for name in HEADERS if name not in optional]
    assert email_message.defects == []
    assert [part.get_content_type() for part in email_message.iter_parts()] == ["text/plain", "text/html"]
    assert message.isascii()
    for page in (digest.html, digest.web_html):
        tree: Any = html5lib.parse(page, treebuilder="lxml", namespaceHTMLElements=False).getroot()
        assert not list(tree.iter("script", "iframe", "object", "embed", "form", "link", "base"))
        assert not tree.xpath("//@*[starts-with(name(), 'on')]")
        assert not tree.xpath("//@href[starts-with(translate(., 'JAVSCRIPT', 'javscript'), 'javascript')]")

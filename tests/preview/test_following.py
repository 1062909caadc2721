"""The preview follows what an editor writes, and a fault never takes away the last good edition."""

from collections.abc import Callable
from pathlib import Path

import pytest

from previewed import PAGE, Served, Stream


def test_a_new_post_is_shown_by_itself(served: Served, publication: Path) -> None:
    with Stream(served, served.number()) as stream:
        (publication / "posts" / "2023-06-08-fresh.md").write_text("---\ntitle: Fresh from the desk\n---\nNew.\n")
        stream.next()
    assert "Fresh from the desk" in served.get().text
    assert "Fresh from the desk" in served.get(f"{PAGE}/light").text


def test_a_template_of_ones_own_is_shown_by_itself(served: Served, publication: Path) -> None:
    before = served.number()
    file = publication / "templates" / "mail" / "letter.html"
    file.parent.mkdir(parents=True)
    file.write_text('{% extends "mail/digest.html" %}')
    after = served.news(before)
    (file.parent / "magazine.html").write_text(
        '{% extends "mail/digest.html" %}{% block masthead %}<tr><td>Our own masthead</td></tr>{% endblock %}'
    )
    served.news(after)
    assert "Our own masthead" in served.get(f"{PAGE}/light").text


def test_a_setting_is_shown_by_itself(served: Served, publication: Path) -> None:
    before, toml = served.number(), publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("The Example Weekly", "The Quiet Weekly"))
    served.news(before)
    assert "The Quiet Weekly" in served.get().text


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("templates/mail/magazine.html", "{% if %}", "templates/mail/magazine.html:1"),
        ("templates/mail/digest.html", "\n{{ nobody.knows }}", "templates/mail/digest.html:2"),
        ("ketapress.toml", "[site]\ntitel = 'x'\n", "ketapress.toml:2"),
        ("ketapress.toml", "[[[", "ketapress.toml:1"),
        ("posts/.published.jsonl", "{", "posts/.published.jsonl:1"),
    ],
)
def test_what_is_broken_is_named_while_the_last_good_edition_stays(
    served: Served, publication: Path, file: str, text: str, named: str
) -> None:
    before, place = served.number(), publication / file
    good = place.read_text() if place.exists() else None
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    broken = served.news(before)

    page = served.get()
    assert page.status == 200
    assert "This is the last good edition." in page.text
    assert f"<code>{named}</code>" in page.text
    assert "Ketamine Therapy" in served.get(f"{PAGE}/light").text

    if good is None:
        place.unlink()
    else:
        place.write_text(good)
    served.news(broken)
    assert "This is the last good edition." not in served.get().text
    assert named not in served.get().text


def test_it_starts_on_a_broken_template_and_goes_on_when_it_is_mended(
    publication: Path, serve: Callable[..., Served]
) -> None:
    file = publication / "templates" / "mail" / "magazine.html"
    file.parent.mkdir(parents=True)
    file.write_text("{% if %}")
    served = serve(publication)
    first = served.get()
    assert (first.status, "No edition to show" in first.text) == (200, True)
    assert "templates/mail/magazine.html:1" in first.text
    before = served.number()
    file.unlink()
    served.news(before)
    assert "Ketamine Therapy" in served.get().text


def test_posts_that_are_gone_are_told_of(served: Served, publication: Path) -> None:
    before = served.number()
    (publication / "posts").rename(publication / "elsewhere")
    broken = served.news(before)
    assert "This is the last good edition." in served.get().text
    (publication / "elsewhere").rename(publication / "posts")
    served.news(broken)
    assert "This is the last good edition." not in served.get().text


def test_a_newsletter_that_is_removed_is_gone(publication: Path, serve: Callable[..., Served]) -> None:
    toml = publication / "ketapress.toml"
    served = serve(publication)
    before = served.number()
    toml.write_text(toml.read_text().replace("[newsletters.weekly]", "[newsletters.monthly]"))
    served.news(before)
    assert served.get().status == 404
    assert served.get("/").headers["location"] == "/newsletter/monthly"

"""The preview follows what an editor writes, and a fault never takes away the last good edition."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.preview_process import PAGE, Served

SEED = "Ketamine Therapy"
STALE = "This is the last good edition."


def is_good(page: str) -> bool:
    """Whether the page shows what the publication of these tests is as they find and leave it."""
    return (
        SEED in page
        and "The Example Weekly" in page
        and STALE not in page
        and "Findings</h2>\n<ul" not in page
    )


def written(served: Served, name: str, text: str) -> Path:
    file = served.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_new_post_is_shown_by_itself_and_goes_with_its_file(served: Served) -> None:
    before = served.number()
    post = written(served, "posts/2023-06-08-fresh.md", "---\ntitle: Fresh from the desk\n---\nNew.\n")
    served.shows(before, lambda page: "Fresh from the desk" in page)
    assert "Fresh from the desk" in served.get(f"{PAGE}/light").text
    post.unlink()
    served.shows(before, lambda page: "Fresh from the desk" not in page)


def test_a_template_of_ones_own_is_shown_by_itself(served: Served) -> None:
    before, extends = served.number(), '{% extends "mail/digest.html" %}'
    file = written(
        served, "templates/mail/magazine.html", f"{extends}{{% block masthead %}}Our own{{% endblock %}}"
    )
    served.shows(before, lambda _: "Our own" in served.get(f"{PAGE}/light").text)
    file.unlink()
    served.shows(before, lambda _: "Our own" not in served.get(f"{PAGE}/light").text)


def test_a_setting_is_shown_by_itself(served: Served) -> None:
    before, toml = served.number(), (served.folder / "ketapress.toml").read_text()
    written(served, "ketapress.toml", toml.replace("The Example Weekly", "The Quiet Weekly"))
    served.shows(before, lambda page: "The Quiet Weekly" in page)
    written(served, "ketapress.toml", toml)
    served.shows(before, is_good)


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
    served: Served, file: str, text: str, named: str
) -> None:
    before, place = served.number(), served.folder / file
    good = place.read_text() if place.exists() else None
    written(served, file, text)
    page = served.shows(before, lambda page: f"<code>{named}</code>" in page)
    assert STALE in page
    assert SEED in page
    assert SEED in served.get(f"{PAGE}/light").text

    if good is None:
        place.unlink()
    else:
        place.write_text(good)
    served.shows(before, is_good)


def test_posts_that_are_gone_are_told_of(served: Served) -> None:
    before, posts = served.number(), served.folder / "posts"
    posts.rename(served.folder / "elsewhere")
    assert SEED in served.shows(before, lambda page: STALE in page)
    (served.folder / "elsewhere").rename(posts)
    served.shows(before, is_good)


def test_a_newsletter_that_is_renamed_has_another_page(served: Served) -> None:
    before, toml = served.number(), (served.folder / "ketapress.toml").read_text()
    written(served, "ketapress.toml", toml.replace("[newsletters.weekly]", "[newsletters.monthly]"))
    served.shows(before, lambda page: "There is no such newsletter" in page)
    assert served.get().status == 404
    assert served.get("/").headers["location"] == "/newsletter/monthly"
    written(served, "ketapress.toml", toml)
    served.shows(before, is_good)


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
    served.shows(before, is_good)

"""The preview shows each change of a file, and keeps the last good edition when there is an error."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.preview_process import PAGE, PreviewProcess

SEED = "Ketamine Therapy"
STALE = "This is the last good edition."


def is_good(page: str) -> bool:
    """Tell whether the page shows the unchanged publication of these tests."""
    return (
        SEED in page
        and "The Example Weekly" in page
        and STALE not in page
        and "Findings</h2>\n<ul" not in page
    )


def write(preview: PreviewProcess, name: str, text: str) -> Path:
    file = preview.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_new_post_is_shown_by_itself_and_goes_with_its_file(preview: PreviewProcess) -> None:
    number = preview.get_number()
    post = write(preview, "posts/2023-06-08-fresh.md", "---\ntitle: Fresh from the desk\n---\nNew.\n")
    preview.wait_for_page(number, lambda page: "Fresh from the desk" in page)
    assert "Fresh from the desk" in preview.get(f"{PAGE}/light").text
    post.unlink()
    preview.wait_for_page(number, lambda page: "Fresh from the desk" not in page)


def test_a_template_of_ones_own_is_shown_by_itself(preview: PreviewProcess) -> None:
    number, extends = preview.get_number(), '{% extends "mail/digest.html" %}'
    file = write(
        preview, "templates/mail/magazine.html", f"{extends}{{% block masthead %}}Our own{{% endblock %}}"
    )
    preview.wait_for_page(number, lambda _: "Our own" in preview.get(f"{PAGE}/light").text)
    file.unlink()
    preview.wait_for_page(number, lambda _: "Our own" not in preview.get(f"{PAGE}/light").text)


def test_a_setting_is_shown_by_itself(preview: PreviewProcess) -> None:
    number, toml = preview.get_number(), (preview.folder / "ketapress.toml").read_text()
    write(preview, "ketapress.toml", toml.replace("The Example Weekly", "The Quiet Weekly"))
    preview.wait_for_page(number, lambda page: "The Quiet Weekly" in page)
    write(preview, "ketapress.toml", toml)
    preview.wait_for_page(number, is_good)


@pytest.mark.parametrize(
    ("file", "text", "location"),
    [
        ("templates/mail/magazine.html", "{% if %}", "templates/mail/magazine.html:1"),
        ("templates/mail/digest.html", "\n{{ nobody.knows }}", "templates/mail/digest.html:2"),
        ("ketapress.toml", "[site]\ntitel = 'x'\n", "ketapress.toml:2"),
        ("ketapress.toml", "[[[", "ketapress.toml:1"),
        ("posts/.published.jsonl", "{", "posts/.published.jsonl:1"),
    ],
)
def test_what_is_broken_is_named_while_the_last_good_edition_stays(
    preview: PreviewProcess, file: str, text: str, location: str
) -> None:
    number, path = preview.get_number(), preview.folder / file
    good_text = path.read_text() if path.exists() else None
    write(preview, file, text)
    page = preview.wait_for_page(number, lambda page: f"<code>{location}</code>" in page)
    assert STALE in page
    assert SEED in page
    assert SEED in preview.get(f"{PAGE}/light").text

    if good_text is None:
        path.unlink()
    else:
        path.write_text(good_text)
    preview.wait_for_page(number, is_good)


def test_posts_that_are_gone_are_told_of(preview: PreviewProcess) -> None:
    number, posts = preview.get_number(), preview.folder / "posts"
    posts.rename(preview.folder / "elsewhere")
    assert SEED in preview.wait_for_page(number, lambda page: STALE in page)
    (preview.folder / "elsewhere").rename(posts)
    preview.wait_for_page(number, is_good)


def test_a_newsletter_that_is_renamed_has_another_page(preview: PreviewProcess) -> None:
    number, toml = preview.get_number(), (preview.folder / "ketapress.toml").read_text()
    write(preview, "ketapress.toml", toml.replace("[newsletters.weekly]", "[newsletters.monthly]"))
    preview.wait_for_page(number, lambda page: "There is no such newsletter" in page)
    assert preview.get().status == 404
    assert preview.get("/").headers["location"] == "/newsletter/monthly"
    write(preview, "ketapress.toml", toml)
    preview.wait_for_page(number, is_good)


def test_it_starts_on_a_broken_template_and_goes_on_when_it_is_mended(
    publication: Path, serve: Callable[..., PreviewProcess]
) -> None:
    file = publication / "templates" / "mail" / "magazine.html"
    file.parent.mkdir(parents=True)
    file.write_text("{% if %}")
    preview = serve(publication)
    response = preview.get()
    assert (response.status, "No edition to show" in response.text) == (200, True)
    assert "templates/mail/magazine.html:1" in response.text
    number = preview.get_number()
    file.unlink()
    preview.wait_for_page(number, is_good)

"""Headers of Hugo, Jekyll, Pelican, Eleventy and other tools."""

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings as hypothesis_settings, strategies as st

from ketapress.model.errors import KetapressError, Severity
from ketapress.model.post import Image, Post
from ketapress.posts.frontmatter.split import split_front_matter
from ketapress.posts.loader import load_posts
from support.factories import NOW, settings
from support.posts_folder import load_single_post, load_single_problem, write_publication

YAML = "---\n{}\n---\nText\n"


def read_yaml_post(root: Path, lines: str, name: str = "2023-06-07-x.md") -> Post:
    return load_single_post(root, name, YAML.format(lines))


@pytest.mark.parametrize(
    "header",
    [
        "---\ntitle: A title\ndate: 2023-06-07\ntags: [a, b]\n---\n",
        "---  \ntitle: A title\ndate: 2023-06-07\ntags:\n  - a\n  - b\n...\n",
        "\ufeff---\r\ntitle: A title\r\ndate: 2023-06-07\r\ntags: a, b\r\n---\r\n",
        "\n\n---\ntitle: 'A title'\ndate: \"2023-06-07\"\ntags: ['a', \"b\"]\n---\n",
        '+++\ntitle = "A title"\ndate = 2023-06-07\ntags = ["a", "b"]\n+++\n',
        '+++\ntitle = "A title"\ndate = 2023-06-07T06:00:00Z\ntags = ["a", "b"]\ndraft = false\nweight = 1\n+++\n',
        '{\n"title": "A title",\n"date": "2023-06-07",\n"tags": ["a", "b"]\n}\n',
        '---json\n{"title": "A title", "date": "2023-06-07", "tags": ["a", "b"]}\n---\n',
        "Title: A title\nDate: 2023-06-07 06:00\nTags: a,\n    b\n\n",
        "title: A title\ndate: 2023/6/7\ntags: a; b\n---\n",
        "title: 'A title'\ndate: 2023/6/7\ntags:\n- a\n- b\n---\n",
        'Title:"A title"\nDate:2023-06-07\nTags:a, b\n\n',
        ".. title: A title\n.. date: 2023-06-07 06:00:00 UTC\n.. tags: a, b\n\n",
        "<!--\n.. title: A title\n.. date: 2023-06-07\n.. tags: a, b\n-->\n",
        "---\ntitle: A title\ndate: 2023-06-07\ntags:\n\t- a\n\t- b\n---\n",
        "title:: A title\ndate:: 2023-06-07\ntags:: a, b\n\n",
        '+++\ntitle = "A title"\ndate = 2023-06-07\n[taxonomies]\ntags = ["a", "b"]\n+++\n',
    ],
)
def test_one_header_in_many_hands(tmp_path: Path, header: str) -> None:
    post = load_single_post(tmp_path, "x.md", header + "\nText\n")
    assert (post.title, post.tags, post.html) == ("A title", ("a", "b"), "<p>Text</p>")
    assert post.date.isoformat() == "2023-06-07T06:00:00+00:00"


def test_scalars_stay_what_was_written(tmp_path: Path) -> None:
    lines = "title: yes\nslug: 2023_06\nauthor: 012\ntags: [no, 12:30, 3.10, 1e3, null]\nsummary: ~\n"
    post = read_yaml_post(tmp_path, lines)
    assert (post.title, post.url, post.authors) == ("yes", "2023/2023-06.html", ("012",))
    assert post.tags == ("no", "12:30", "3.10", "1e3")
    assert post.summary == "Text"


@pytest.mark.parametrize(
    ("lines", "instant"),
    [
        ("date: 2023-06-07 10:00:00 +0900", "2023-06-07T10:00:00+09:00"),
        ("date: 2023-06-07T10:00:00+09:00 # a comment", "2023-06-07T10:00:00+09:00"),
        ("publishDate: 2023-06-06", "2023-06-06T06:00:00+00:00"),
        ("pubDate: Jun 6 2023", "2023-06-06T06:00:00+00:00"),
        ("published: 2023-06-06", "2023-06-06T06:00:00+00:00"),
        ("published: true", "2023-06-07T06:00:00+00:00"),
        ("date: Last Modified", "2023-06-07T06:00:00+00:00"),
        ("pubDatetime: 2023-06-06T10:00:00Z", "2023-06-06T10:00:00+00:00"),
        ("published_at: 2023-06-06\nupdatedAt: 2023-06-09", "2023-06-06T06:00:00+00:00"),
        ("publishedAt: '2023-06-06'", "2023-06-06T06:00:00+00:00"),
        ("datePublished: Tue Jun 06 2023 10:00:00 GMT+0000 (Universal Time)", "2023-06-06T10:00:00+00:00"),
        ("date:\n  updated: 2023-06-07\n  created: 2023-06-06", "2023-06-06T06:00:00+00:00"),
        ("lastmod: 2023-06-06", "2023-06-06T06:00:00+00:00"),
        ("title: x", "2023-06-07T06:00:00+00:00"),
    ],
)
def test_where_the_date_stands(tmp_path: Path, lines: str, instant: str) -> None:
    assert read_yaml_post(tmp_path, lines).date.isoformat() == instant


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("2019-2-12-x.md", "Text", "X"),
        ("20190212-x.md", "Text", "X"),
        ("2019-02-12/x.md", "Text", "X"),
        ("2019/02/12/x.md", "Text", "X"),
        ("2019-02-12-x.html.markdown", "Text", "X"),
        ("2019/02-12-x/index.md", "---\ntitle: X\n---\nText", "X"),
        ("x.md", "---\npath: /2019/02/12/old/\n---\nText", "X"),
        ("x.md", "*Posted on February 12, 2019*\n\nText", "X"),
        ("x.md", "# Title\n\n12. Februar 2019\n\nText", "Title"),
        ("x.txt", "A title\n12 février 2019\n\nText", "A title"),
        ("x.md", "# 2019-02-12\n\nText", "X"),
    ],
)
def test_dates_of_files_folders_and_first_lines(tmp_path: Path, name: str, content: str, title: str) -> None:
    post = load_single_post(tmp_path, name, content)
    assert (post.date.date().isoformat(), post.title, post.html) == ("2019-02-12", title, "<p>Text</p>")


def test_the_header_comes_before_the_line_before_the_name(tmp_path: Path) -> None:
    assert (
        load_single_post(
            tmp_path, "2021-01-01-x.md", "---\ndate: 2023-06-07\n---\nJune 6, 2023\n\nx"
        ).date.year
        == 2023
    )
    (tmp_path / "posts/2021-01-01-x.md").unlink()
    assert load_single_post(tmp_path, "2021-01-01-x.txt", "June 6, 2023\n\nx").date.year == 2023


@pytest.mark.parametrize(
    ("lines", "is_withheld"),
    [
        ("draft: true", True),
        ("draft: yes", True),
        ("draft: false", False),
        ("draft:", False),
        ("published: false", True),
        ("status: draft", True),
        ("status: hidden", True),
        ("status: Published", False),
        ("hold: true", True),
    ],
)
def test_drafts_in_every_tool(tmp_path: Path, lines: str, is_withheld: bool) -> None:
    post = read_yaml_post(tmp_path, lines)
    assert post.visible(NOW) is not is_withheld
    assert (post.draft or post.hold) is is_withheld


def test_a_title_that_is_a_comment_is_told(tmp_path: Path) -> None:
    library = load_posts(
        write_publication(tmp_path, {"2023-06-07-x.md": YAML.format("title: #1\ntags: [a]")}), settings(), NOW
    )
    (problem,) = library.problems
    assert (library.posts[0].title, problem.severity, problem.line) == ("X", Severity.WARNING, 2)


def test_a_file_in_a_folder_of_drafts_is_one(tmp_path: Path) -> None:
    assert load_single_post(tmp_path, "_drafts/2023-06-07-x.md", "Text").draft


@pytest.mark.parametrize("lines", ["draft: maybe", "status: wip", "hold: please"])
def test_an_odd_switch_keeps_the_post_back_and_says_so(tmp_path: Path, lines: str) -> None:
    root = write_publication(tmp_path, {"2023-06-07-x.md": YAML.format(lines)})
    library = load_posts(root, settings(), NOW)
    assert not library.posts[0].visible(NOW)
    assert [(problem.code, problem.severity) for problem in library.problems] == [
        ("post.header-value", Severity.WARNING)
    ]


def test_a_tag_made_a_draft_of_a_post_of_nikola(tmp_path: Path) -> None:
    assert load_single_post(
        tmp_path, "x.md", ".. title: A\n.. date: 2023-06-07\n.. tags: a, draft\n\nText"
    ).draft


def test_an_expired_post_is_not_seen(tmp_path: Path) -> None:
    for name in ("expires", "expiryDate", "unpublishdate"):
        assert not read_yaml_post(tmp_path, f"{name}: 2023-06-10").visible(NOW)
    assert read_yaml_post(tmp_path, "expires: 2023-07-10").visible(NOW)


@pytest.mark.parametrize(
    ("lines", "tags"),
    [
        ("tags: machine learning", ("machine", "learning")),
        ("taxonomy:\n  category: blog\n  tag: [a, b]", ("a", "b", "blog")),
        ("tags: ['C#', 'C', 'R &amp; D']", ("C#", "C", "R & D")),
        ("tags: machine learning, python", ("machine learning", "python")),
        ("tags: [Python, python, '#web']\ncategories: [News]", ("Python", "web", "News")),
        ("tags: {a: 1}\ncategory: x", ("x",)),
        ("category: machine learning\ncategories: a b", ("a", "b", "machine learning")),
        ("tags: [{name: foo}, bar]", ("foo", "bar")),
        ("tags:", ()),
    ],
)
def test_tags(tmp_path: Path, lines: str, tags: tuple[str, ...]) -> None:
    assert read_yaml_post(tmp_path, lines).tags == tags


def test_pelican_tags_may_hold_blanks(tmp_path: Path) -> None:
    post = load_single_post(
        tmp_path, "x.md", "Title: x\nDate: 2023-06-07\nTags: machine learning\nAuthors: A B, C D\n\nText"
    )
    assert (post.tags, post.authors) == (("machine learning",), ("A B", "C D"))


@pytest.mark.parametrize(
    ("lines", "authors"),
    [
        ("author: Ada, of London", ("Ada, of London",)),
        ("authors: [Ada, Bo]", ("Ada", "Bo")),
        ("author: {name: Ada, email: a@example.org}", ("Ada",)),
        ("authors:\n  - name: Ada\n  - Bo", ("Ada", "Bo")),
        ("authors: [Ada, Bo, Ada]", ("Ada", "Bo")),
        ("author: {display_name: Ada, login: ada}", ("Ada",)),
        ("extra:\n  author: Ada", ("Ada",)),
    ],
)
def test_authors(tmp_path: Path, lines: str, authors: tuple[str, ...]) -> None:
    assert read_yaml_post(tmp_path, lines).authors == authors


@pytest.mark.parametrize(
    ("lines", "image"),
    [
        ("image: /a.png", Image(url="https://example.org/a.png")),
        ("image: {path: a.png, alt: A}", Image(url="https://example.org/2023/a.png", alt="A")),
        ("images: [https://x.org/a.png, b.png]", Image(url="https://x.org/a.png")),
        ("cover:\n  image: /a.png\n  alt: A", Image(url="https://example.org/a.png", alt="A")),
        ("featured_image: /a.png\nimage_alt: A", Image(url="https://example.org/a.png", alt="A")),
        ("heroImage: /a.png\nheroImageAlt: A", Image(url="https://example.org/a.png", alt="A")),
        ("coverImage: /a.png", Image(url="https://example.org/a.png")),
        ("img: {url: /a.png, desc: A}", Image(url="https://example.org/a.png", alt="A")),
        ("image:", None),
        ("image: true", None),
        ("cover: true\nthumbnail: /a.png", Image(url="https://example.org/a.png")),
        ("cover: {image: false}", None),
    ],
)
def test_images(tmp_path: Path, lines: str, image: Image | None) -> None:
    assert read_yaml_post(tmp_path, lines).image == image


def test_old_addresses_become_aliases(tmp_path: Path) -> None:
    lines = "aliases: [/old/, 'https://example.org/older?x', ../../etc, über uns]\npermalink: /2019/:title/\nurl: /posts/x.html"
    assert read_yaml_post(tmp_path, lines).aliases == ("old/", "older", "%C3%BCber%20uns", "posts/x.html")


def test_titles_are_plain_text(tmp_path: Path) -> None:
    assert (
        read_yaml_post(tmp_path, "title: '<em>Caf&eacute;</em> &amp; <T> \\ud83d'").title
        == "Café & <T> \\ud83d"
    )
    (tmp_path / "posts/2023-06-07-x.md").unlink()
    assert (
        load_single_post(tmp_path, "y.md", '{"title": "a\\ud800b\\u0000c", "date": "2023-06-07"}\nText').title
        == "abc"
    )


@pytest.mark.parametrize(
    ("lines", "lang", "text_direction"),
    [
        ("lang: ar-EG", "ar-EG", "rtl"),
        ("lang: en_US", "en-US", "ltr"),
        ("dir: rtl", None, "rtl"),
        ("locale: de", "de", "ltr"),
    ],
)
def test_language_and_direction(tmp_path: Path, lines: str, lang: str | None, text_direction: str) -> None:
    post = read_yaml_post(tmp_path, lines)
    assert (post.lang, post.dir) == (lang, text_direction)


def test_a_right_to_left_post_is_known_by_its_letters(tmp_path: Path) -> None:
    text = "الأربعاء، 7 يونيو 2023\n\nهذا نص عربي عن HTML والبريد."
    post = load_single_post(tmp_path, "x.txt", text)
    assert (post.dir, post.lang, post.date.day) == ("rtl", "ar", 7)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("x.md", "+++\ntitle = x\n+++\nText", 2),
        ("x.md", '{"title": }\nText', 1),
        ("x.md", "---\ntitle: [a\n---\nText", 3),
        ("x.md", "---\na: &a [*a]\nb: *c\n---\nText", 3),
        ("x.md", "---\ntitle:\tx\n\tdate: y\n---\nText", 3),
        ("x.md", "+++\nn = " + "9" * 5000 + "\n+++\nText", 1),
        ("x.md", "---\n" + "[" * 100_000 + "\n---\nText", None),
        ("x.md", '{"a": ' + "[" * 100_000 + "\nText", 1),
        ("x.md", "+++\na = " + "[" * 100_000 + "\n+++\nText", 1),
        ("x.md", '{"a": ' + "[" * 600 + "]" * 600 + "}\nText", 1),
    ],
)
def test_a_header_that_cannot_be_read_is_an_error_with_its_line(
    tmp_path: Path, name: str, content: str, line: int | None
) -> None:
    problem = load_single_problem(tmp_path, name, content)
    assert problem.code == "post.header"
    assert line is None or problem.line == line


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nA ruler opens it.",
        "--- not a fence\n",
        "{% include x %}\n",
        "{ a: b }",
        "Note: one line\n\nText",
        "Note: this\nand that.\n---\n",
        "https://example.org\n\nText",
        "Author: I am one\n\nText",
        "<!-- a comment -->\nText",
        "+++\n",
        "Title\n",
    ],
)
def test_what_is_no_header_is_the_body(text: str) -> None:
    assert split_front_matter(text).header == {}
    assert split_front_matter(text).body == text


def test_a_yaml_bomb_is_no_bomb(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert read_yaml_post(tmp_path, bomb + "tags: *i\nauthors: *i").tags == ()


NAMES = st.sampled_from(["title", "date", "tags", "a-b", "_x", "Ü", "x y", "draft", "title"])
VALUES = st.one_of(
    st.text(max_size=12),
    st.text(st.sampled_from("ab :#-'\"[]{},\\&*!|>%@`?1~\t\x85\xa0é"), max_size=12),
    st.lists(st.text(st.sampled_from("ab1 .-/'\"#:,"), max_size=6), max_size=3).map(
        lambda items: f"[{', '.join(items)}]"
    ),
)


@given(
    st.lists(
        st.tuples(
            NAMES, st.sampled_from([": ", ":", ":  ", " : "]), VALUES, st.sampled_from(["\n", " \n", "\n\n"])
        ),
        max_size=4,
    )
)
@example([("title", ": ", "a: b", "\n")])
@example([("title", ": ", "'it''s'", "\n")])
@hypothesis_settings(max_examples=250, deadline=None)
def test_a_header_is_what_the_yaml_loader_gives(lines: list[tuple[str, str, str, str]]) -> None:
    block = "".join("".join(line) for line in lines)
    if any(char in block for char in "\r\u2028\u2029") or "---" in block or "..." in block:
        return
    if any(value.lstrip()[:1] in {"!", "&"} for _, _, value, _ in lines):
        return  # taken as text: see test_yaml_indicators.py
    try:
        yaml_header = yaml.load(block, Loader=yaml.CBaseLoader)
    except (yaml.YAMLError, ValueError):
        yaml_header = None
    try:
        header = split_front_matter(f"---\n{block}---\nText").header
    except KetapressError:
        header = None
    if isinstance(yaml_header, dict):
        assert header == {str(key).strip().lower(): value for key, value in yaml_header.items()}
    else:
        assert not header


@pytest.mark.parametrize(
    ("written", "summary"),
    [
        ("Made with [Hugo](https://gohugo.io) and **care**", "Made with Hugo and care"),
        ("`a_b` is <em>2 * 3 * 4</em> &amp; 5", "a_b is 2 * 3 * 4 & 5"),
    ],
)
def test_summaries_are_plain_text(tmp_path: Path, written: str, summary: str) -> None:
    assert read_yaml_post(tmp_path, f"description: '{written}'").summary == summary


def test_many_lines_with_colons_above_no_dashes_are_read_at_once() -> None:
    text = "Title: A day\nDate: 2023-06-07\n" + "Key: a line of words that goes on\n" * 500 + "\nBody\n"
    assert split_front_matter(text).body == "Body\n"


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        ("title: One: two", 2, "a value contains a colon"),
        ("title: x\n\tsub: y", 3, "a tab is used"),
        ("title: @one", 2, "begins with `@`"),
        ("title: *one", 2, "begins with `*`"),
        ("title: 'one\ndate: 2023-06-07", 4, "a quote is never closed"),
        ("tags: [a, b\ntitle: x", 3, "a list that begins with `[` is not closed"),
        ("tags: - a", 2, "a list with dashes begins on the line of its name"),
        ('title: "a\\qb"', 2, "a backslash"),
        ("title: x\njust words\ntags: y", 4, "not of the form `name: value`"),
    ],
)
def test_what_is_wrong_in_yaml_is_said_in_plain_words(
    tmp_path: Path, lines: str, line: int, words: str
) -> None:
    problem = load_single_problem(tmp_path, "2023-06-07-x.md", f"---\n{lines}\n---\nText")
    assert words in problem.message
    assert problem.line == line

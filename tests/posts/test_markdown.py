"""Markdown of CommonMark and GitHub, rendered for pages, feeds and mail."""

import html as entities
from pathlib import Path

import comrak
import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from ketapress.posts.markup.markdown import render_markdown, split_leading_heading
from ketapress.posts.text.strip_markdown import strip_markdown
from support.posts_folder import load_single_post

HEADER = "---\ndate: 2023-06-07\ntitle: A title\n---\n"


def body(root: Path, text: str) -> str:
    return load_single_post(root, "note.md", HEADER + text).html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**中文。**后面", "<p><strong>中文。</strong>后面</p>"),
        ("~~old~~ www.example.org", '<p><del>old</del> <a href="http://www.example.org">www.example.org</a></p>'),
        ("- [x] done\n- [ ] open", "<ul>\n<li>☑ done</li>\n<li>☐ open</li>\n</ul>"),
        ("```python\nx < 1\n```", '<pre><code class="language-python">x &lt; 1\n</code></pre>'),
        ("![](/a.png)\n\n![Alt](a b.png)", '<p><img src="https://example.org/a.png" alt=""></p>\n<p><img src="https://example.org/2023/a%20b.png" alt="Alt"></p>'),
        ("$$\na_1 &= b * c * d \\\\\n\\{ e < f \\}\n$$", "<p>$$\na_1 &amp;= b * c * d \\\\\n\\{ e &lt; f \\}\n$$</p>"),
        ("$x_a * y_b * z$ costs $5 *or* $7, `$x`, ``a`$_b_$``", "<p>$x_a * y_b * z$ costs $5 <em>or</em> $7, <code>$x</code>, <code>a`$_b_$</code></p>"),
        ("[a](/b?c=$d_e$f) \\$a*b*\\$", '<p><a href="https://example.org/b?c=$d_e$f">a</a> $a<em>b</em>$</p>'),
        ("[a](/b?c=$d_e$)", '<p><a href="https://example.org/b?c=%24d_e%24">a</a></p>'),
        ('<div class="a" markdown="1">\n**b**\n</div>', "<div>\n<p><strong>b</strong></p>\n</div>"),
        ("[a](other.html?x=1&y=2#z)", '<p><a href="https://example.org/2023/other.html?x=1&amp;y=2#z">a</a></p>'),
        ("[a](//cdn.example.org/x)", '<p><a href="https://cdn.example.org/x">a</a></p>'),
        ("[a](<über uns.html>)", '<p><a href="https://example.org/2023/%C3%BCber%20uns.html">a</a></p>'),
        ("[a](mailto:a@example.org)", '<p><a href="mailto:a@example.org">a</a></p>'),
        ("[a](100%)", '<p><a href="https://example.org/2023/100%25">a</a></p>'),
        ("# One\n\n### Three\n\n###### Six", "<h2>One</h2>\n<h4>Three</h4>\n<h6>Six</h6>"),
        ("#### Only", "<h2>Only</h2>"),
        ("<script>x</script><b onclick=x style=y>b</b><iframe></iframe>", "<b>b</b>"),
        ("a\u0001b&#x80;", "<p>ab</p>"),
    ],
)  # fmt: skip
def test_rendering(tmp_path: Path, text: str, html: str) -> None:
    assert body(tmp_path, text) == html


def test_tables_keep_their_alignment(tmp_path: Path) -> None:
    assert body(tmp_path, "| a | b |\n|:--|--:|\n| 1 | 2 |") == (
        '<table>\n<thead>\n<tr>\n<th align="left">a</th>\n<th align="right">b</th>\n</tr>\n</thead>\n'
        '<tbody>\n<tr>\n<td align="left">1</td>\n<td align="right">2</td>\n</tr>\n</tbody>\n</table>'
    )


def test_footnotes_have_ids_of_the_post_and_links_in_full(tmp_path: Path) -> None:
    html = body(tmp_path, "A claim.[^1]\n\n[^1]: The proof.")
    prefix = html.partition(' id="')[2].partition("fn")[0]
    assert f'href="https://example.org/2023/note.html#{prefix}fn-1" id="{prefix}fnref-1"' in html
    assert f'<li id="{prefix}fn-1">' in html
    assert 'href="#' not in html


def test_a_table_of_five_thousand_columns_is_text(tmp_path: Path) -> None:
    rows = "\n".join(["|".join("a" * 5000), "|".join("-" * 5000), *["x"] * 500])
    html = body(tmp_path, rows)
    assert "<table" not in html
    assert len(html) < 2 * len(rows) + 1000


def test_a_table_of_many_long_rows_is_still_one() -> None:
    rows = "\n".join(["a|b|c", "-|-|-", *["1|2|3"] * 10_000])
    assert render_markdown(rows).count("<tr>") == 10_001


@pytest.mark.parametrize(
    ("text", "title", "rest"),
    [
        ("# A *fine* [title](x) #\nText", "A fine title", "Text"),
        ("\n\nTitle\n=====\n\nText", "Title", "\nText"),
        ("## Second\n", "", "## Second\n"),
        ("Text\n# No", "", "Text\n# No"),
        ("#hashtag", "", "#hashtag"),
    ],
)
def test_a_leading_heading_is_the_title(text: str, title: str, rest: str) -> None:
    assert split_leading_heading(text) == (title, rest)


def test_it_is_taken_out_of_the_body_only_where_it_is_the_title(tmp_path: Path) -> None:
    untitled = "---\ndate: 2023-06-07\n---\n"
    post = load_single_post(tmp_path, "note.md", untitled + "# Found\n\nText")
    assert (post.title, post.html) == ("Found", "<p>Text</p>")
    post = load_single_post(tmp_path, "note.md", HEADER + "# A title\n\nText")
    assert (post.title, post.html) == ("A title", "<p>Text</p>")
    post = load_single_post(tmp_path, "note.md", HEADER + "# Another\n\nText")
    assert (post.title, post.html) == ("A title", "<h2>Another</h2>\n<p>Text</p>")


def test_a_line_of_markdown_as_its_reader_sees_it() -> None:
    assert (
        strip_markdown(r"A **bold _and_ `code`** [link](https://x.org) \*star\*")
        == "A bold and code link *star*"
    )


def test_the_summary_is_the_first_paragraph_without_its_marks(tmp_path: Path) -> None:
    post = load_single_post(
        tmp_path, "note.md", HEADER + "![x](y.png)\n\nIt is *so*[^1] &amp; `more`.\n\nNext.\n\n[^1]: n"
    )
    assert post.summary == "It is so & more."


def test_all_examples_of_a_kind_survive_the_sanitiser(tmp_path: Path) -> None:
    text = "Text with <q>a quote</q>, <kbd>Ctrl</kbd>, H<sub>2</sub>O, <abbr title='World Wide Web'>WWW</abbr>, <ruby>漢<rt>kan</rt></ruby>"
    html = body(tmp_path, text)
    for tag in ("q", "kbd", "sub", "abbr", "ruby", "rt"):
        assert f"<{tag}" in html
    assert entities.unescape(html) == html


@hypothesis_settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            [*"[]()<>\\`* ", "see ", "[t](", "https://a.example/x", "www.b.example", "a@b.example", "\n\n"]
        ),
        max_size=12,
    ).map("".join)
)
def test_bare_addresses_become_links_wherever_they_stand(text: str) -> None:
    assert render_markdown(text) == comrak.render_markdown(text, EVERYTHING, comrak.ParseOptions(), RAW)


def all_extensions() -> comrak.ExtensionOptions:
    extensions = comrak.ExtensionOptions()
    for name in ("table", "footnotes", "strikethrough", "tasklist", "cjk_friendly_emphasis", "autolink"):
        setattr(extensions, name, True)
    return extensions


EVERYTHING = all_extensions()
RAW = comrak.RenderOptions()
RAW.unsafe_ = True

"""MDX is read as Markdown: statements are removed, content of components stays, and omissions are reported."""

from pathlib import Path

import pytest

from ketapress.posts.loader import load_posts
from support.factories import NOW, settings
from support.posts_folder import load_single_post, write_publication

HEADER = "---\ndate: 2023-06-07\n---\n"


def html(root: Path, body: str) -> str:
    return load_single_post(root, "x.mdx", HEADER + body).html


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("import A from './a'\nimport {\n  b,\n} from 'b'\n\nexport const c = {\n  d: [1,\n\n2],\n}\n\nText", "<p>Text</p>"),
        ("import as a word, and\n\nexport too", "<p>import as a word, and</p>\n<p>export too</p>"),
        ("```js\nimport a from 'a'\n<B c={d} />\n```", '<pre><code class="language-js">import a from \'a\'\n&lt;B c={d} /&gt;\n</code></pre>'),
        ("Use `<B c={d} />` and \\{e} if a < b.", "<p>Use <code>&lt;B c={d} /&gt;</code> and {e} if a &lt; b.</p>"),
        ("{/* a comment */}\n\nText{' '}and {\"more\"}", "<p>Text and more</p>"),
        ("<Tabs>\n  <Tab value='a' label='One'>\n\nText\n\n  </Tab>\n</Tabs>", "<p><strong>One</strong></p>\n<p>Text</p>"),
        ("<Box a={[1, {b: '}'}]}>\n\tWith *emphasis*\n</Box>", "<p>With <em>emphasis</em></p>"),
        ("<>a <Badge>b</Badge></>", "<p>a b</p>"),
        ("<Callout type='warning' title='Mind'>\n\nText\n\n</Callout>", "<blockquote>\n<p><strong>Mind</strong></p>\n<p>Text</p>\n</blockquote>"),
        ("<YouTube id='dQw4w9WgXcQ' />", '<p><a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">https://www.youtube.com/watch?v=dQw4w9WgXcQ</a></p>'),
        ("See <Link to='/a'>it</Link>.", '<p>See <a href="https://example.org/a">it</a>.</p>'),
        ("import a from './a.png'\n\n<Image src={a} alt='A' width={3} />", '<img src="https://example.org/2023/a.png" alt="A">'),
        ("<img src={require('./a.png').default} style={{ width: 3 }} />", '<img src="https://example.org/2023/a.png">'),
        ("<p className='a' onClick={() => b('c')}>Text</p>", "<p>Text</p>"),
        ("- a\n\n    b\n", "<ul>\n<li>\n<p>a</p>\n<p>b</p>\n</li>\n</ul>"),
        ("<video src={require('./a.mp4').default} controls />\n\nText", '<p><video src="https://example.org/2023/a.mp4" controls=""></video></p>\n<p>Text</p>'),
        ("<br />a<div />\n\nText", "<p><br>a</p><div></div><p></p>\n<p>Text</p>"),
        ("A <B {c", "<p>A &lt;B {c</p>"),
    ],
)  # fmt: skip
def test_mdx_is_read_as_markdown(tmp_path: Path, body: str, expected: str) -> None:
    assert html(tmp_path, body) == expected


def test_headings_take_the_ids_of_comments(tmp_path: Path) -> None:
    post = load_single_post(tmp_path, "x.mdx", HEADER + "[a](#my-id)\n\n## Heading {/* #my-id */}")
    prefix = post.html.partition("x.html#")[2].partition("my-id")[0]
    assert f'<h2 id="{prefix}my-id">Heading</h2>' in post.html


def test_what_readers_miss_is_named_with_its_line(tmp_path: Path) -> None:
    files = {
        "x.mdx": HEADER
        + "import A from 'a'\n\n# Title\n\nIn {year()}.\n\n<A b={{\n  c: 1,\n}} />\n\n{d.map(e)}"
    }
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    (post,), (problem,) = library.posts, library.problems
    assert (post.title, post.html.strip()) == ("Title", "<p>In {year()}.</p>")
    assert problem.where == "posts/x.mdx:8"
    assert "`{year()}` (line 8), `<A b={{ c: 1, }} />` (line 10), `{d.map(e)}` (line 14)." in problem.message


def test_what_is_never_closed_takes_no_time(tmp_path: Path) -> None:
    for start in ("{", "<A ", "` ``", "import {\n", "{/* "):
        load_posts(write_publication(tmp_path, {"x.mdx": HEADER + start * 40_000}), settings(), NOW)


@pytest.mark.parametrize("name", ["meta", "metadata", "frontmatter", "meta: Meta"])
def test_what_it_states_of_itself_is_its_header(tmp_path: Path, name: str) -> None:
    members = 'title: \'A "post"\',\n  date: "2023-05-06",\n\n  draft: draft,'
    post = load_single_post(
        tmp_path, "x.mdx", f"import x from 'x'\n\nexport const {name} = {{\n  {members}\n}};\n\nText.\n"
    )

    assert (post.title, post.html, f"{post.date:%Y-%m-%d}") == ('A "post"', "<p>Text.</p>", "2023-05-06")

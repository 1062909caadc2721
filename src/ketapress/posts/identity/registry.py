"""The files of the registry of posts.

`posts/.published.jsonl` lies beside the posts and is committed with them. In a git working copy nothing but `ketapress ids
save` writes it: a machine that publishes there writes what it learned to `.ketapress/published.jsonl`, so that `git pull`
finds no local change. Both are read.
"""

import os
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError
from ketapress.posts.identity.registry_entry import Registry
from ketapress.posts.identity.registry_merge import merge_registries
from ketapress.posts.identity.registry_text import (
    TRACKED_REGISTRY,
    RegistryLines,
    parse_registry,
    registry_error,
)
from ketapress.system.atomic import write_atomic
from ketapress.system.state_file import make_state_folder

LOCAL_REGISTRY = ".ketapress/published.jsonl"

REGISTRY_LOST = Problem(
    code="posts.ids-lost",
    path=TRACKED_REGISTRY,
    message="the file is missing, but editions were sent: without the ids in it, renamed posts would be mailed again.",
    cure="Restore it from version control or a backup. To start over instead, save the subscribers with `ketapress "
    "subscribers export`, then move ketapress.db and outbox/ away.",
)


def has_registry(root: Path) -> bool:
    """Return whether the publication has a registry."""
    return (root / TRACKED_REGISTRY).exists() or (root / LOCAL_REGISTRY).exists()


def read_registry(root: Path) -> Registry:
    """Return the registry of a publication. Raises `ConfigurationError` with the line where it is broken."""
    local_lines = _read_lines(root, LOCAL_REGISTRY)
    registry = merge_registries(local_lines, _read_lines(root, TRACKED_REGISTRY))
    # In a new clone, what was tracked then counts as known here; what is pulled later has just arrived.
    return registry if local_lines or not _is_git_working_copy(root) else registry._replace(is_saved=False)


def write_registry(root: Path, text: str) -> None:
    """Write what this machine knows, whole or not at all; it survives a power failure once this returns.

    Raises `RefusedError` if the disk is full or the folder is not writable.
    """
    if (root / LOCAL_REGISTRY).exists() or _is_git_working_copy(root):
        make_state_folder(root)
        _write(root, LOCAL_REGISTRY, text)
    else:
        _write(root, TRACKED_REGISTRY, text)


def save_tracked_registry(root: Path, text: str, *, dry_run: bool) -> bool:
    """Write the file that is committed with the posts; return whether it changes. Raises `RefusedError`."""
    try:
        if (root / TRACKED_REGISTRY).read_bytes() == text.encode():
            return False
    except OSError:
        pass
    if not dry_run:
        _write(root, TRACKED_REGISTRY, text)
    return True


def _write(root: Path, path: str, text: str) -> None:
    try:
        write_atomic(root / path, text.encode(), durable=True)
    except OSError as error:
        raise RefusedError(
            Problem(
                code="post.ids",
                message=f"the ids of the posts cannot be written: {(error.strerror or str(error)).lower()}.",
                cure="Free disk space, or grant write permission; nothing was changed.",
                path=path,
            )
        ) from None


def _read_lines(root: Path, path: str) -> RegistryLines | None:
    try:
        text = (root / path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise registry_error(f"the file cannot be read: {error}", None) from None
    return parse_registry(text, path)


def _is_git_working_copy(root: Path) -> bool:
    """Return whether the folder or one above it is a working copy. `.git` is a file in worktrees and submodules."""
    absolute = root.absolute()
    return any(os.path.lexists(folder / ".git") for folder in (absolute, *absolute.parents))

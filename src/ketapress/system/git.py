"""Whether git is changing the working tree of a publication."""

from pathlib import Path


def has_git_lock(root: Path) -> bool:
    """Return whether git holds the lock of its index, as it does during a pull, a checkout or a merge."""
    return any((folder / ".git" / "index.lock").exists() for folder in (root, *root.parents))

"""The manifest of older versions: which files of `public/` their last build wrote.

It is read once: what is in it and is no target any more is removed from `public/`, and then the manifest itself.
"""

from pathlib import Path

from ketapress.system.state_file import read_state, remove_state

_MANIFEST = "built.json"


def read_old_paths(root: Path) -> frozenset[str]:
    """Return the paths under `public/` that the manifest names; none where there is no manifest that can be read."""
    outputs = read_state(root, _MANIFEST).get("outputs")
    return frozenset(outputs) if isinstance(outputs, dict) else frozenset()


def remove_old_manifest(root: Path) -> None:
    """Remove what older versions stored about their builds: their manifest, templates and posts."""
    remove_state(root, _MANIFEST, "moulds.json", "posts.db")

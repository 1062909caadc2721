"""The name of a post, taken from its file."""

from posixpath import splitext


def post_stem(path: str) -> str:
    """Return the file's name without its suffix, or its folder's name where the file is the `index` of a bundle."""
    folder, _, name = path.rpartition("/")
    file_stem = splitext(name)[0].removesuffix(".html")  # Middleman: `post.html.markdown`
    return folder.rpartition("/")[2] if file_stem.lower() == "index" and folder else file_stem

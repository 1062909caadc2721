"""The name of a post by its file."""

from posixpath import splitext


def stem(path: str) -> str:
    """The file's name without its ending; the folder's, where the file is the `index` of a bundle."""
    folder, _, name = path.rpartition("/")
    written = splitext(name)[0].removesuffix(".html")  # Middleman names what becomes of a file, too
    return folder.rpartition("/")[2] if written.lower() == "index" and folder else written

"""The name of a post by its file."""

from posixpath import splitext


def post_stem(path: str) -> str:
    """The file's name without its ending; the folder's, where the file is the `index` of a bundle."""
    folder, _, name = path.rpartition("/")
    file_stem = splitext(name)[0].removesuffix(".html")  # Middleman names what becomes of a file, too
    return folder.rpartition("/")[2] if file_stem.lower() == "index" and folder else file_stem

"""A small magazine in three scripts, published, and a plain web server for it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from support.cli_runner import ketapress
from support.factories import REPOSITORY

_MAGAZINE = REPOSITORY / "tests" / "magazine"
_MEDIA_TYPES = {
    "atom.xml": "application/atom+xml; charset=utf-8",
    "feed.xml": "application/rss+xml; charset=utf-8",
    "feed.json": "application/feed+json; charset=utf-8",
}


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve a folder, which need not exist yet. Yields its URL with a slash at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_FileHandler, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def publish_magazine(root: Path, url: str, language: str = "en") -> Path:
    """Publish five posts, one edition, an alias and two images, and return `public/`."""
    shutil.copytree(_MAGAZINE, root)
    settings = root / "ketapress.toml"
    text = settings.read_text().replace("http://127.0.0.1:1", url.rstrip("/"))
    settings.write_text(text.replace('language = "en"', f'language = "{language}"'))
    outcome = ketapress(root, "publish", "--at", "2023-06-12T09:00")
    assert outcome.exit_code == 0, outcome.stderr
    for image in root.glob("*.svg"):
        shutil.copy(image, root / "public")
    return root / "public"


class _FileHandler(SimpleHTTPRequestHandler):
    """Serves files with the media types that docs/deploy sets, and logs nothing."""

    def guess_type(self, path: object) -> str:
        name = Path(str(path)).name
        return next(
            (media_type for suffix, media_type in _MEDIA_TYPES.items() if name.endswith(suffix)),
            super().guess_type(str(path)),
        )

    def log_message(self, *_: object) -> None:
        """Log nothing."""

"""A small magazine in three scripts, published, and served on this machine as any web server would."""

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
_TYPES = {
    "atom.xml": "application/atom+xml; charset=utf-8",
    "feed.xml": "application/rss+xml; charset=utf-8",
    "feed.json": "application/feed+json; charset=utf-8",
}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address, which ends in a slash, of a folder that need not be there yet."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def publish_magazine(root: Path, url: str, language: str = "en") -> Path:
    """The magazine's `public/`, as it is one Monday in June: five posts, one edition, an old address, two pictures."""
    shutil.copytree(_MAGAZINE, root)
    settings = root / "ketapress.toml"
    said = settings.read_text().replace("http://127.0.0.1:1", url.rstrip("/"))
    settings.write_text(said.replace('language = "en"', f'language = "{language}"'))
    done = ketapress(root, "publish", "--at", "2023-06-12T09:00")
    assert done.exit_code == 0, done.stderr
    for picture in root.glob("*.svg"):
        shutil.copy(picture, root / "public")
    return root / "public"


class _Files(SimpleHTTPRequestHandler):
    """Files with the types that docs for web servers tell; it keeps no log."""

    def guess_type(self, path: object) -> str:
        name = Path(str(path)).name
        return next(
            (kind for end, kind in _TYPES.items() if name.endswith(end)), super().guess_type(str(path))
        )

    def log_message(self, *_: object) -> None:
        """Nothing is written."""

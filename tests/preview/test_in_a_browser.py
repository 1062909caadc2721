"""The preview in Chromium: accessible at every width, and safe from what an edition may contain."""

import re
import subprocess
from collections.abc import Callable, Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from support.browser import find_violations, render_pages
from support.preview_process import PAGE, PreviewProcess

HOSTILE = """<!DOCTYPE html><html><head><meta http-equiv="refresh" content="0; url={trap}/refresh">
<link rel="stylesheet" href="{trap}/link"><link rel="preload" as="image" href="{trap}/preload">
<style data-premailer="ignore">@import url({trap}/import); @font-face {{ font-family: x; src: url({trap}/font) }}
body {{ font-family: x; background: url({trap}/background) }}</style>
<script src="{trap}/script"></script><script>fetch("{trap}/fetch"); new Image().src = "{trap}/image";
for (const page of [top, parent]) {{ try {{ page.document.title = "taken"; }} catch {{}} }}
top.location = "{trap}/top"; open("{trap}/open");</script></head>
<body onload="location = '{trap}/onload'"><h1>Shown</h1>
<iframe src="{trap}/iframe"></iframe><object data="{trap}/object"></object><video src="{trap}/video" autoplay></video>
<form action="{trap}/form"><input name="x" autofocus onfocus="this.form.submit()"></form>
<img src="x" onerror="location = '{trap}/onerror'">{{% if reader %}}<a href="{{{{ reader.unsubscribe_url }}}}">Leave</a>{{% endif %}}</body></html>"""


@pytest.fixture
def trap() -> Iterator[tuple[str, list[str]]]:
    """A server that a message must never reach: its URL, and the paths that were requested."""
    paths: list[str] = []

    class Trap(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Trap) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


def dump_dom(url: str, folder: Path) -> str:
    """Return the document after five seconds in Chromium."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [f"--user-data-dir={folder / 'profile'}", "--timeout=5000", "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.chromium
def test_what_a_letter_holds_neither_runs_nor_asks_for_anything(
    publication: Path, serve: Callable[..., PreviewProcess], trap: tuple[str, list[str]], tmp_path: Path
) -> None:
    url, paths = trap
    message_html = HOSTILE.format(trap=url)
    file = tmp_path / "file.html"
    file.write_text(message_html)
    dump_dom(file.as_uri(), tmp_path)
    assert {"/script", "/link", "/refresh"} & set(paths), "without protection, the browser reaches the trap"
    paths.clear()

    template = publication / "templates" / "mail" / "magazine.html"
    template.parent.mkdir(parents=True)
    template.write_text(message_html.replace("@import", "@namespace"))  # composing rejects @import
    preview = serve(publication)
    assert preview.get().status == 200

    page = dump_dom(preview.url + PAGE, tmp_path)
    assert "taken" not in re.findall(r"<title>(.*?)</title>", page)[0]
    for rendition in ("light", "dark", "without-pictures", "without-styles"):
        assert "Shown" in dump_dom(f"{preview.url}{PAGE}/{rendition}", tmp_path)
    assert paths == []


@pytest.mark.chromium
def test_what_a_post_is_called_stays_text_on_the_page(
    publication: Path, serve: Callable[..., PreviewProcess], tmp_path: Path
) -> None:
    title = (
        "</pre></title><script>document.title = 'taken'</script><img src=x onerror=document.title='taken'>"
    )
    (publication / "posts" / "2023-06-08-x.md").write_text(f'---\ntitle: "{title}"\n---\n{title}\n')
    page = dump_dom(serve(publication).url + PAGE, tmp_path)
    (title_text,) = re.findall(r"<title>(.*?)</title>", page)
    assert unescape(title_text).startswith("</pre></title><script>")
    assert "<img src=x" not in page
    assert page.count("<script") == 1


@pytest.mark.axe
def test_the_page_is_open_to_everybody_on_a_phone_and_on_a_desktop(
    publication: Path, serve: Callable[..., PreviewProcess]
) -> None:
    for name, header in (("draft", "draft: true"), ("long-" + "x" * 150, "title: " + "W" * 120)):
        (publication / "posts" / f"{name}.md").write_text(
            f"---\ndate: 2023-06-08\n{header}\n---\nHello {{{{ x }}}}\n"
        )
    (publication / "posts" / "broken.md").write_text("---\ntitle: [\n---\nx\n")
    preview = serve(publication)
    assert "Findings" in preview.get().text
    assert find_violations(render_pages([preview.url + PAGE, f"{preview.url}/newsletter/nobody"])) == []

"""What is known of templates without loading any."""

from pathlib import Path

from ketapress.templates.sources import templates_fingerprint


def written(root: Path, name: str, source: str) -> Path:
    path = root / "templates" / "own" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return root


def test_the_fingerprint_follows_every_template(tmp_path: Path) -> None:
    shipped = templates_fingerprint(tmp_path)
    one = templates_fingerprint(written(tmp_path, "a.html", "one"))

    assert templates_fingerprint(written(tmp_path, "a.html", "one")) == one != shipped
    assert templates_fingerprint(written(tmp_path, "a.html", "two")) not in {one, shipped}
    assert templates_fingerprint(written(tmp_path, "b.html", "")) not in {one, shipped}

"""The fingerprint of the template files."""

from pathlib import Path

from ketapress.templates.sources import templates_fingerprint


def write_template(root: Path, name: str, source: str) -> Path:
    path = root / "templates" / "own" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return root


def test_the_fingerprint_follows_every_template(tmp_path: Path) -> None:
    shipped = templates_fingerprint(tmp_path)
    fingerprint = templates_fingerprint(write_template(tmp_path, "a.html", "one"))

    assert templates_fingerprint(write_template(tmp_path, "a.html", "one")) == fingerprint != shipped
    assert templates_fingerprint(write_template(tmp_path, "a.html", "two")) not in {fingerprint, shipped}
    assert templates_fingerprint(write_template(tmp_path, "b.html", "")) not in {fingerprint, shipped}

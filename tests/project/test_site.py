"""The site of the documentation, as `make site` makes it: every page beside every page, and nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from docs.site.conf import shelves
from tests.support.program import closed_environment

ROOT = Path(__file__).parents[2]
SPHINX = ROOT / ".venv-site" / "bin" / "sphinx-build"
LOADED = re.compile(r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=\"([^\"]+)\"")


def build(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """What Sphinx says of a tree."""
    if not SPHINX.exists():  # pragma: no cover  as the machine is
        pytest.skip("the site is not made here: make site")
    places = ("--conf-dir", source / "docs" / "site", "--doctree-dir", out / "doctrees", source, out / "site")
    command: list[str | Path] = [SPHINX, "--quiet", "--fail-on-warning", "--keep-going", *places]
    return subprocess.run(command, env=closed_environment(), capture_output=True, text=True, check=False)


def test_each_section_of_the_index_is_a_shelf_with_its_pages() -> None:
    text = (
        "# All\n\n## Start: which rows\n\n- [One](start/one.md): a page.\n- [Two](two.md#part).\n\n## None\n\nText.\n"
    )
    tree = "```{toctree}\n:hidden:\n:caption: Start\n\nstart/one\n```\n"
    assert tree in shelves(text)
    assert ":caption: None" not in shelves(text)


def test_the_site_has_every_page_is_searched_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = build(ROOT, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    site = tmp_path / "site"
    made = {path.relative_to(site / "docs").with_suffix(".md").as_posix() for path in (site / "docs").rglob("*.html")}
    assert made == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    loaded = {one for path in site.rglob("*.html") for one in LOADED.findall(path.read_text())}
    assert loaded
    assert not [one for one in loaded if "//" in one]
    assert "shadowed-subnet" in (site / "searchindex.js").read_text()


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    conf = tmp_path / "docs" / "site" / "conf.py"
    conf.parent.mkdir(parents=True)
    conf.write_text((ROOT / "docs" / "site" / "conf.py").read_text())
    (conf.parent / "extra").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Index\n\n## Start\n\n- [Page](page.md): one.\n")
    (tmp_path / "docs" / "page.md").write_text("# Page\n\n[Gone](#gone), [away](away.md)\n")
    done = build(tmp_path, tmp_path / "out")
    assert done.returncode == 1
    assert "'gone'" in done.stderr
    assert "'away.md'" in done.stderr

"""Documentation site: builds without a warning, and loads nothing from other hosts."""

import os
import re
import shutil
import subprocess

import pytest

from .installing import ROOT

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    mkdocs = ROOT / ".venv/docs/bin/mkdocs"
    if not mkdocs.exists():
        message = "NOT TESTED: mkdocs is not installed (scripts/venv --docs)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    directory = tmp_path_factory.mktemp("site")
    command = [mkdocs, "build", "--strict", "--quiet", "--site-dir", directory]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    yield directory
    shutil.rmtree(directory)


def pages(site):
    return [(page, page.read_text()) for page in sorted(site.rglob("*.html"))]


def test_site_has_every_page_and_the_linked_files(site):
    expected = {page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for page in ROOT.glob("docs/*/*.md")}
    built = {page.relative_to(site).as_posix() for page, _ in pages(site)}
    assert {name.replace("README", "index") for name in expected} <= built
    assert (site / "repository/CHANGELOG.html").exists()
    assert (site / "repository/storage/rows.py.txt").read_text() == (ROOT / "storage/rows.py").read_text()


def test_site_loads_nothing_from_other_hosts(site):
    elements = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*>")
    remote = re.compile(r"""\b(?:src|href)=["']?(?:https?:)?//""")
    loaded = {element for _, text in pages(site) for element in elements.findall(text) if remote.search(element)}
    assert loaded == set()
    styles = [style.read_text() for style in site.rglob("*.css")]
    assert [style for style in styles if re.search(r"""url\(["']?(?:https?:)?//""", style)] == []


def broken_links(page, text):
    links = re.findall(r"""<a\b[^>]*\bhref=["']?([^"' >#]+)""", text)
    return [link for link in links if not re.match(r"[a-z]+:", link) and not (page.parent / link).exists()]


def test_links_of_the_site_resolve(site):
    # The page for a missing address has absolute links, as it may be shown at any depth.
    shown = [(page, text) for page, text in pages(site) if page.name != "404.html"]
    broken = {page.relative_to(site).as_posix(): broken_links(page, text) for page, text in shown}
    assert {page: links for page, links in broken.items() if links} == {}

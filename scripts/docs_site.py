"""Hook of mkdocs: navigation from docs/README.md, and links to files of the repository outside docs/.

The site has a copy of each file outside docs/ that a page links to: Markdown as a page, any other file as text. A
link without a target stays as it is, and `mkdocs build --strict` reports it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
COPIES = "repository"
"""Directory of the site for the files outside docs/."""

LINK = re.compile(r"(?<=\]\()([^)\s#]+)")
SECTION = re.compile(r"^## (.+)$")
ITEM = re.compile(r"^- \[([^\]]+)\]\(([^)#\s]+)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Set the navigation: the sections and links of docs/README.md, in their order."""
    navigation: list[dict[str, Any]] = [{"Home": "README.md"}]
    for line in (DOCS / "README.md").read_text(encoding="utf-8").splitlines():
        if section := SECTION.match(line):
            navigation.append({section[1]: []})
        elif item := ITEM.match(line):
            entries = next(iter(navigation[-1].values()))
            entries.append(_entry(item[1], DOCS / item[2]))
    config.nav = navigation
    return config


def _entry(title: str, path: Path) -> dict[str, Any]:
    """Return the entry of a page; the index of a directory becomes a section with all its pages."""
    path = Path(os.path.normpath(path))
    if path.name != "README.md" or not path.is_relative_to(DOCS):
        return {title: _site_path(path)}
    others = sorted(page for page in path.parent.glob("*.md") if page != path)
    return {title: [_site_path(path), *map(_site_path, others)]}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside docs/ that pages link to, and those that these link to."""
    pending = sorted(DOCS.rglob("*.md"))
    seen = set(pending)
    while pending:
        page = pending.pop()
        new = {target for target in _targets(page) if not target.is_relative_to(DOCS)} - seen
        for target in sorted(new):
            files.append(File.generated(config, _site_path(target), abs_src_path=str(target)))
        seen |= new
        pending += [target for target in new if target.suffix == ".md"]
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Point the links of a page to the places of their targets in the site."""
    source = Path(str(page.file.abs_src_path))
    directory = Path(page.file.src_uri).parent

    def replaced(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(source.parent / match[1]))
        if "://" in match[1] or not (target.is_file() and target.is_relative_to(ROOT)):
            return match[1]
        return os.path.relpath(_site_path(target), directory)

    return LINK.sub(replaced, markdown)


def _targets(page: Path) -> Iterator[Path]:
    """Yield the files of the repository that a page links to."""
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        target = Path(os.path.normpath(page.parent / link))
        if "://" not in link and target.is_file() and target.is_relative_to(ROOT):
            yield target


def _site_path(path: Path) -> str:
    """Return the path of a file in the sources of the site."""
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    name = f"{COPIES}/{path.relative_to(ROOT).as_posix()}"
    # Browsers show text, and download what they do not know.
    return name if path.suffix in (".md", ".png") else f"{name}.txt"

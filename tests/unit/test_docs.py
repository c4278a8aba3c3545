"""Documentation: examples run, links resolve, and generated pages are current."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import model.nn
from monitor.cli.root import COMMAND_MODULES
from monitor.config.reference import reference_page
from monitor.documents.doctor import CheckId

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MADE = {".venv", "node_modules", "build", "dist"}
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in MADE for part in path.relative_to(ROOT).parts)
)
PLACEHOLDERS = {"ID": "7", "T": "1772359651", "D": "7d", "L": "debug"}
"""Values for the placeholders of commands."""


def without_code(text):
    """Return the prose of a page."""
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """Return the anchors of the headings of a page."""
    result = []
    for title in re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S), re.MULTILINE
    ):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        result.append(f"{slug}-{result.count(slug)}" if slug in result else slug)
    return result


def commands(page):
    """Yield the words of every `monitor ...` command of a page, in blocks and in lines."""
    text = page.read_text()
    blocks = "\n".join(re.findall(r"^```(?:sh|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    typed = re.findall(r"^(?:\$ )?(?:sudo )?(?:\S*/)?(monitor .+)$", blocks.replace("&& ", "\n"), re.MULTILINE)
    within = re.findall(r"`(?:sudo )?(?:\.venv/bin/)?(monitor (?:[^`\n]|\n)+)`", text)
    for command in (*typed, *within):
        words = shlex.split(command.partition(" | ")[0].partition(" > ")[0], comments=True)[1:]
        # A synopsis shows what may be typed, not what is.
        if not any(re.search(r"[\[\]|…]|^\.\.\.$|^COMMAND$", word) for word in words):
            yield [PLACEHOLDERS.get(word, word) for word in words]


def test_network_page_examples_run(capsys):
    page = DOCS / "reference" / "network.md"
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    scope = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), scope)
    right = (scope["probabilities"] > 0.5) == (scope["y"] == 1)
    assert right.mean() > 0.95
    assert "healthy" in capsys.readouterr().out


def test_network_page_names_the_whole_public_api():
    rows = re.findall(r"^\|.*\|$", (DOCS / "reference" / "network.md").read_text(), re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(model.nn.__all__) - names == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_links_resolve(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_pages_show_valid_commands(parses):
    names = {name for section in COMMAND_MODULES.values() for name in section}
    shown = [(page, words) for page in PAGES for words in commands(page)]
    for page, words in shown:
        # A sentence may refer to a command by its name alone.
        known = (len(words) == 1 and words[0] in names) or parses(words)
        assert known, f"{page.relative_to(ROOT)}: monitor {shlex.join(words)}"
    assert {words[0] for _, words in shown} >= {"run", "status", "retrain", "install-service", "export"}


def test_index_links_every_page():
    linked = {
        (DOCS / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)\)", (DOCS / "README.md").read_text())
    }
    pages = {*DOCS.glob("*.md"), *DOCS.glob("*/README.md"), *ROOT.glob("*.md")} - {DOCS / "README.md"}
    assert pages - linked == set()
    assert "(docs/README.md)" in (ROOT / "README.md").read_text()


def test_configuration_reference_is_current():
    assert (DOCS / "reference" / "configuration.md").read_text() == reference_page(), "run `make config`"


def test_module_list_is_current():
    command = [sys.executable, ROOT / "scripts" / "module_map.py"]
    generated = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (DOCS / "reference" / "modules.md").read_text() == generated, "run `make modules`"


def test_reliability_page_has_every_injected_fault():
    subprocess.run([sys.executable, ROOT / "scripts" / "make_reliability.py", "--check"], check=True)


def test_architecture_page_names_existing_files():
    text = (DOCS / "explanation" / "architecture.md").read_text()
    named = set(re.findall(r"`((?:monitor|model|storage|scripts|deploy|tests)/[\w./]*)`", text))
    assert len(named) > 20
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_troubleshooting_page_names_existing_checks_and_events():
    text = (DOCS / "how-to" / "troubleshooting.md").read_text()
    # Several may follow each other: "check `disk_space`, `inodes` or `mount`".
    runs = re.findall(r"(check|event) ((?:(?:, | or | and )?`[^`]+`)+)", text)
    named = {(kind, name) for kind, run in runs for name in re.findall(r"`([^`]+)`", run)}
    checks = {name.split()[0] for kind, name in named if kind == "check"}
    events = {name for kind, name in named if kind == "event"}
    assert checks <= set(CheckId)
    assert events <= set(re.findall(r"^\| `([^`]+)`", (DOCS / "reference" / "logs.md").read_text(), re.MULTILINE))
    assert len(checks) > 20

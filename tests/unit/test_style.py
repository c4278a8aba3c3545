"""Style: plain technical English in code, messages and documentation."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]

BANNED = re.compile(
    r"""\b(
    anew | beside | mend(s|ed|ing)? | told | (is|are|was|were|be|been)\s+said
    | goes\s+on | going\s+on | go\s+on | went\s+on | whereof | of\s+late | hears?
    | liv(es|e|ed|ing)\s+through | (has|have|had)\s+(a|its|no)\s+say | sets?\s+right | setting\s+right
    | drawn\s+toward(s)? | the\s+like | what\s+(came|comes|was\s+said|follows) | has\s+come | have\s+come
    | voices? | rehearsals? | by\s+(its|their)\s+own\s+word | is\s+word | here\s+and\s+there
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
"""Phrases of no technical meaning; docs/glossary.md has the term for each concept."""

STORED = {"voices", "rehearsal"}
"""Keys of stored files that older releases wrote."""

OPENING = re.compile(r"(What|Whether|How|Who|Where|Which|Whose|When|Why)\b")
"""A docstring names or instructs; it does not ask."""

NAMES = {"said", "told", "found", "here", "there", "mend", "anew", "beside", "voice", "voices", "asked"}
"""Words that name nothing, as parts of an identifier."""

SOURCES = sorted(
    path for name in ("model", "monitor", "storage", "benchmarks", "scripts") for path in (ROOT / name).rglob("*.py")
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not {".venv", "node_modules", "build", "dist"}.intersection(path.relative_to(ROOT).parts)
)
TEXTS = sorted(
    [
        ROOT / "config.toml",
        *(ROOT / "deploy").rglob("*.yml"),
        *(ROOT / "deploy").rglob("*.json"),
        *(ROOT / "monitor").rglob("*.html"),
        *(ROOT / "monitor").rglob("*.js"),
        *(ROOT / "tests" / "golden").rglob("*.txt"),
    ]
)
DEFINITIONS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def name_of(path):
    return str(path.relative_to(ROOT))


def strings_and_comments(path):
    """Yield (line, text) of the comments and string constants of a module, docstrings included."""
    source = path.read_text()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def docstrings(path):
    """Yield (node, docstring) of a module, its classes and functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, DEFINITIONS) and (text := ast.get_docstring(node)):
            yield node, text


def identifiers(path):
    """Yield (line, name) of all names that a module defines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def prose(page):
    """Return the text of a page without code, tables, headings and links."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=name_of)
def test_module_has_no_banned_phrase(path):
    if path == Path(__file__):
        return
    uses = [
        (line, match[0])
        for line, text in strings_and_comments(path)
        if text not in STORED
        for match in BANNED.finditer(text)
    ]
    assert uses == []


@pytest.mark.parametrize("path", [*(page for page in PAGES if page.name != "CHANGELOG.md"), *TEXTS], ids=name_of)
def test_text_has_no_banned_phrase(path):
    uses = [match[0] for match in BANNED.finditer(path.read_text())]
    assert uses == []


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=name_of)
def test_docstring_does_not_open_with_question_word(path):
    assert [text.partition("\n")[0] for _, text in docstrings(path) if OPENING.match(text)] == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_module_docstring_is_short(path):
    first = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]
    assert 1 <= len(first.split()) <= 15, first


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=name_of)
def test_identifier_names_a_thing(path):
    uses = [(line, n) for line, n in identifiers(path) if n == "one" or NAMES.intersection(n.lower().split("_"))]
    assert uses == []


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "Permission is hereby" not in page.read_text()], ids=name_of
)
def test_page_has_short_sentences(page):
    blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*|#]|\d+\.) )|\|", prose(page))
    sentences = [sentence for block in blocks for sentence in re.split(r"(?<=[.!?:;])\s+", " ".join(block.split()))]
    assert [sentence for sentence in sentences if len(sentence.split()) > 30] == []

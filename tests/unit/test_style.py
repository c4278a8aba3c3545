"""Style: plain technical English in code, messages and documentation."""

import ast
import functools
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
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@functools.cache
def parsed(path):
    return ast.parse(path.read_text())


def docstrings(path):
    """Yield (node, docstring) of a module, its classes and functions."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, DEFINITIONS) and (text := ast.get_docstring(node)):
            yield node, text


def identifiers(path):
    """Yield (line, name) of all names that a module defines."""
    for node in ast.walk(parsed(path)):
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


def problems_by_file(paths, problems):
    """Return the problems of each file that has any: one test for all files, as a test for each takes longer."""
    by_file = {name_of(path): list(problems(path)) for path in paths}
    return {name: listed for name, listed in by_file.items() if listed}


def banned_phrases(path):
    if path.suffix == ".py":
        texts = [(line, text) for line, text in strings_and_comments(path) if text not in STORED]
    else:
        texts = [(1, path.read_text())]
    return [(line, match[0]) for line, text in texts for match in BANNED.finditer(text)]


def test_module_has_no_banned_phrase():
    modules = [path for path in (*SOURCES, *TESTS) if path != Path(__file__)]
    assert problems_by_file(modules, banned_phrases) == {}


def test_text_has_no_banned_phrase():
    pages = [page for page in PAGES if page.name != "CHANGELOG.md"]
    assert problems_by_file([*pages, *TEXTS], banned_phrases) == {}


def test_docstring_does_not_open_with_question_word():
    def questions(path):
        return [text.partition("\n")[0] for _, text in docstrings(path) if OPENING.match(text)]

    assert problems_by_file([*SOURCES, *TESTS], questions) == {}


def test_module_docstring_is_short():
    def long_summary(path):
        first = (ast.get_docstring(parsed(path)) or "").partition("\n\n")[0]
        return [] if 1 <= len(first.split()) <= 15 else [first]

    assert problems_by_file(SOURCES, long_summary) == {}


def test_identifier_names_a_thing():
    def vague_names(path):
        return [(line, n) for line, n in identifiers(path) if n == "one" or NAMES.intersection(n.lower().split("_"))]

    assert problems_by_file([*SOURCES, *TESTS], vague_names) == {}


def test_page_has_short_sentences():
    def long_sentences(page):
        blocks = re.split(r"\n\s*\n|\n(?=\s*(?:[-*|#]|\d+\.) )|\|", prose(page))
        sentences = [s for block in blocks for s in re.split(r"(?<=[.!?:;])\s+", " ".join(block.split()))]
        return [sentence for sentence in sentences if len(sentence.split()) > 30]

    pages = [page for page in PAGES if "Permission is hereby" not in page.read_text()]
    assert problems_by_file(pages, long_sentences) == {}

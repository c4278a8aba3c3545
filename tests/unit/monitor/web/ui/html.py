"""Parser of HTML pages for the tests."""

from html.parser import HTMLParser

VOID_ELEMENTS = {"meta", "link", "input"}
SVG_ELEMENTS = {"rect", "line", "circle", "polygon", "polyline"}


class Page(HTMLParser):
    """Text by section, table rows by section, classes and links; checks that elements are nested."""

    def __init__(self, html):
        super().__init__()
        self.sections = {}
        self.rows = {}
        self.classes = []
        self.links = []
        self._open = []
        self._ids = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.classes.append(attributes.get("class", ""))
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        if tag in VOID_ELEMENTS:
            return
        self._open.append(tag)
        self._ids.append(attributes.get("id") if tag in {"section", "details"} or "data-live" in attributes else None)
        if tag == "tr":
            self.rows.setdefault(self._section(), []).append([])
        if tag == "td":
            self.rows[self._section()][-1].append("")

    def handle_startendtag(self, tag, attributes):
        assert tag in SVG_ELEMENTS
        self.classes.append(dict(attributes).get("class", ""))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        self._ids.pop()

    def handle_data(self, data):
        section = self._section()
        self.sections[section] = " ".join(f"{self.sections.get(section, '')} {data}".split())
        if "td" in self._open:
            row = self.rows[section][-1]
            row[-1] = " ".join(f"{row[-1]} {data}".split())

    def _section(self):
        return next((name for name in reversed(self._ids) if name), "")

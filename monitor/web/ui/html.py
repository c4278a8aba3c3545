"""Elements of a page, put together as a tree: what is text can never become markup."""

from __future__ import annotations

import xml.etree.ElementTree as ET

Node = ET.Element
Child = Node | str | float | None


def el(tag: str, *children: Child, **attributes: str | float | bool | None) -> Node:
    """An element with its children.

    Args:
        tag: its name.
        children: elements and texts in their order; None is left out.
        attributes: `class_` and `for_` stand for the words that Python keeps, an underscore for a hyphen; None and
            False are left out, True is an attribute without a value.
    """
    node = ET.Element(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            node.set(name.rstrip("_").replace("_", "-"), "" if value is True else str(value))
    for child in children:
        _add(node, child)
    return node


def _add(node: Node, child: Child) -> None:
    if isinstance(child, ET.Element):
        node.append(child)
    elif child is not None:
        last = node[-1] if len(node) else None
        if last is None:
            node.text = (node.text or "") + str(child)
        else:
            last.tail = (last.tail or "") + str(child)


def document(root: Node) -> str:
    """The whole page."""
    return "<!doctype html>\n" + ET.tostring(root, encoding="unicode", method="html") + "\n"

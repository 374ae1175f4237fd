"""Write the XML of Salesforce metadata in the order and indentation in which an org returns it.

A body is a tuple of (element, value) pairs; a value is text, a number, a truth value or again a
body. `None` leaves the element out, so optional facts need no branches at the caller.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

Value = str | bool | int | tuple["Element", ...] | None
Element = tuple[str, Value]
Body = tuple[Element, ...]


def sort(body: Body) -> Body:
    """Order elements by name, as an org does; equal names keep their order."""
    return tuple(sorted(body, key=lambda element: element[0]))


def render(body: Body, depth: int = 1) -> str:
    """Render the elements at a depth of indentation (four blanks each)."""
    indent = "    " * depth
    lines: list[str] = []
    for name, value in body:
        if value is None:
            continue
        if isinstance(value, tuple):
            lines.append(f"{indent}<{name}>\n{render(value, depth + 1)}{indent}</{name}>\n")
        else:
            lines.append(f"{indent}<{name}>{_text(value)}</{name}>\n")
    return "".join(lines)


def document(root: str, body: Body) -> bytes:
    """Render a whole metadata file."""
    opening = f'{DECLARATION}<{root} xmlns="{NAMESPACE}">\n'
    return f"{opening}{render(body)}</{root}>\n".encode()


def _text(value: str | bool | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value), {'"': "&quot;", "'": "&apos;"})

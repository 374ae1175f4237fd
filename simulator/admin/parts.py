"""What the operator's pages are made of: a document, tables, the form for faults."""

from dataclasses import dataclass
from html import escape

from simulator.transport import faults
from simulator.transport.messages import Response

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2rem}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}"
    "form{display:flex;flex-wrap:wrap;gap:.8rem;align-items:end;margin:0 0 2rem}"
    "label{display:grid}input,select,button{font:inherit;padding:.3rem}"
    "pre{overflow:auto}:root{color-scheme:light dark}"
)
_FIELDS = (
    ("call", "Call", "deploy.start"), ("times", "Times", "1"), ("skip", "Skip", ""),
    ("seconds", "Seconds", ""), ("status", "Status", ""), ("code", "Code", ""),
    ("component", "Component", ""), ("message", "Message", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """A cell that leads on."""

    address: str
    text: str


Cell = object


def document(title: str, *body: str, status: int = 200) -> Response:
    """Write a page; it runs no script and its form goes only to this port."""
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f"<main><h1>{escape(title)}</h1>{''.join(body)}</main></html>"
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
    headers = {"Content-Security-Policy": policy, "X-Frame-Options": "DENY"}
    return Response(status, page.encode(), "text/html;charset=UTF-8", headers)


def table(title: str, heads: tuple[str, ...], lines: list[tuple[Cell, ...]]) -> str:
    """Write a table below its title."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    rows = "".join(f"<tr>{''.join(f'<td>{_cell(c)}</td>' for c in line)}</tr>" for line in lines)
    shown = f"<table><thead><tr>{head}</tr></thead>{rows}</table>" if lines else "<p>None.</p>"
    return f"<h2>{escape(title)}</h2>{shown}"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Link):
        return f'<a href="{escape(cell.address)}">{escape(cell.text)}</a>'
    return escape(str(cell))


def fault_form(org: str) -> str:
    """Write the form that sets and clears faults of an org, or of all."""
    kinds = "".join(f"<option>{escape(kind)}</option>" for kind in sorted(faults.KINDS))
    fields = "".join(
        f'<label>{label}<input name="{name}" value="{value}"></label>'
        for name, label, value in _FIELDS
    )
    return (
        f'<form method="post" action="/"><input type="hidden" name="org" value="{escape(org)}">'
        f'<label>Kind<select name="kind">{kinds}</select></label>{fields}'
        '<button name="do" value="add">Set this fault</button>'
        '<button name="do" value="clear">Clear these faults</button></form>'
    )

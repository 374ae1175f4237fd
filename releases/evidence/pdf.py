"""One change record as a document on paper: A4, numbered pages, the digest of the record on each.

Made by ReportLab, in a font that has Latin, Greek and Cyrillic letters. The document has no moment
of its own making: equal records give equal bytes.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import pymupdf_fonts
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from releases.evidence.record import NOT_RECORDED
from releases.evidence.telling import NOTHING, Section, sections
from releases.evidence.telling import Table as Told

PLAIN, BOLD = "GatehouseSans", "GatehouseSans-Bold"
MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
LABEL = 46 * mm
INK, GREY, RULE = colors.HexColor("#1b1f24"), colors.HexColor("#5f6873"), colors.HexColor("#d5dae0")
TINT, ALARM = colors.HexColor("#f3f5f7"), colors.HexColor("#a4262c")
LONG_CELL = 400
PADDING = 5
GAP = PADDING + 1.5
WIDEST_WORD = 84.0
WORDS_MEASURED = 60
TITLE_AND_ROWS = 26 * mm
"""No title of a table stands alone at the foot of a page."""


def document(record: Mapping[str, Any], digest: str, made_from: str) -> bytes:
    """Write the document of a record; ``digest`` is that of its JSON, ``made_from`` its name."""
    _fonts()
    target = io.BytesIO()
    identity = record["identity"]
    title = f"{identity['change_id']} {identity['title']}"
    pages = BaseDocTemplate(
        target,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN + 6 * mm,
        title=f"Change record {title}",
        author="Gatehouse",
        subject=f"Record {digest}",
        invariant=1,
    )
    frame = Frame(
        MARGIN, MARGIN + 6 * mm, WIDTH, A4[1] - 2 * MARGIN - 6 * mm, 0, 0, 0, 0, id="body"
    )

    def foot(canvas: Any, page: Any) -> None:
        canvas.saveState()
        canvas.setStrokeColor(RULE)
        canvas.line(MARGIN, MARGIN + 2 * mm, A4[0] - MARGIN, MARGIN + 2 * mm)
        canvas.setFont(PLAIN, 7)
        canvas.setFillColor(GREY)
        canvas.drawString(MARGIN, MARGIN - 2 * mm, f"Record of {made_from}: {digest}")
        canvas.drawRightString(
            A4[0] - MARGIN, MARGIN - 2 * mm, f"{identity['change_id']}, page {page.page}"
        )
        canvas.restoreState()

    pages.addPageTemplates([PageTemplate(id="page", frames=[frame], onPage=foot)])
    pages.build(_story(record, title))
    return target.getvalue()


@functools.cache
def _fonts() -> None:
    """Register the fonts once per process."""
    for name, code in ((PLAIN, "notos"), (BOLD, "notosbo")):
        pdfmetrics.registerFont(TTFont(name, io.BytesIO(pymupdf_fonts.myfont(code))))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)


def _style(size: float, **more: Any) -> ParagraphStyle:
    chosen = {"fontName": PLAIN, "textColor": INK, "splitLongWords": True, **more}
    return ParagraphStyle(f"s{size}", fontSize=size, leading=size * 1.35, **chosen)


TEXT, SMALL = _style(8.5), _style(7.2)
MUTED = _style(8.5, textColor=GREY)
ALARMED = _style(8.5, textColor=ALARM, fontName=BOLD)
HEAD = _style(7.2, fontName=BOLD, textColor=GREY)
TABLE_TITLE = _style(8.5, fontName=BOLD, spaceBefore=6, spaceAfter=2)
SECTION = _style(11.5, fontName=BOLD, spaceBefore=11, spaceAfter=3, keepWithNext=1)
TITLE = _style(17, fontName=BOLD, spaceAfter=2)
KICKER = _style(8.5, textColor=GREY, spaceAfter=1)


def _story(record: Mapping[str, Any], title: str) -> list[Flowable]:
    identity, conflicts = record["identity"], record["segregation"]["conflicts"]
    summary = (
        ("Outcome", identity["outcome"]),
        ("Environment", identity["environment"]["name"]),
        ("Type", identity["type"]),
        ("Approvals", str(record["authorisation"].get("obtained", 0))),
        ("Segregation", "conflict" if conflicts else "no conflict"),
    )
    cells = [[_text(label, HEAD) for label, _ in summary]]
    cells.append(
        [
            _text(value, ALARMED if value == "conflict" else _style(10, fontName=BOLD))
            for _, value in summary
        ]
    )
    band = Table(cells, colWidths=[WIDTH / len(summary)] * len(summary))
    band.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), TINT),
                ("TOPPADDING", (0, 0), (-1, 0), 6),
                ("BOTTOMPADDING", (0, 1), (-1, 1), 7),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    note = "Moments are in UTC. “not recorded” means that Gatehouse holds no such fact."
    story: list[Flowable] = [
        _text("CHANGE RECORD", KICKER),
        _text(title, TITLE),
        Spacer(1, 3 * mm),
        band,
        Spacer(1, 2 * mm),
        _text(note, MUTED),
    ]
    for section in sections(record):
        story += _section(section)
    return story


def _section(section: Section) -> list[Flowable]:
    heading = _text(f"{section.number}  {section.title}", SECTION)
    body: list[Flowable] = []
    if section.text:
        body.append(_text(section.text, TEXT))
    if section.facts:
        body.append(_facts(section))
    for table in section.tables:
        body += _table(table)
    return [KeepTogether([heading, body[0]]), *body[1:]] if body else [heading]


def _facts(section: Section) -> Table:
    rows = [[_text(label, MUTED), _value(value)] for label, value in section.facts]
    table = Table(rows, colWidths=[LABEL, WIDTH - LABEL], splitInRow=1)
    table.setStyle(_rules(0))
    return table


def _value(value: str) -> Paragraph:
    return _text(value, MUTED if value in (NOT_RECORDED, NOTHING) else TEXT)


def _table(told: Told) -> list[Flowable]:
    rows = [[_text(name, HEAD) for name in told.head]]
    rows += [[_text(_cut(cell), SMALL) for cell in row] for row in told.rows]
    table = Table(rows, colWidths=_widths(told), repeatRows=1, splitInRow=1)
    table.setStyle(_rules(1))
    title = [CondPageBreak(TITLE_AND_ROWS), _text(told.title, TABLE_TITLE)]
    found: list[Flowable] = [*title, table]
    if told.more:
        found.append(_text(f"{told.more} more in the JSON record.", MUTED))
    return [KeepTogether(found)] if len(told.rows) < 12 else found


def _cut(cell: str) -> str:
    return cell if len(cell) <= LONG_CELL else f"{cell[:LONG_CELL]} … (whole in the JSON record)"


def _widths(told: Told) -> list[float]:
    """Room for the longest word of each column first; what is left goes to the longest texts."""
    least, wanted = [], []
    for place, head in enumerate(told.head):
        cells = [row[place] for row in told.rows]
        words = [(word, PLAIN) for cell in cells for word in cell.split()[:WORDS_MEASURED]]
        words += [(word, BOLD) for word in head.split()]
        wide = max(pdfmetrics.stringWidth(word, font, SMALL.fontSize) for word, font in words)
        least.append(min(wide, WIDEST_WORD) + GAP)
        wanted.append(min(max((len(cell) for cell in cells), default=0), 60) + 2.0)
    left = WIDTH - sum(least)
    if left < 0:
        return [WIDTH * part / sum(least) for part in least]
    return [part + left * share / sum(wanted) for part, share in zip(least, wanted, strict=True)]


def _rules(head: int) -> TableStyle:
    styles: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
    ]
    if head:
        styles.append(("LINEBELOW", (0, 0), (-1, 0), 0.8, GREY))
    return TableStyle(styles)


def _text(words: str, style: ParagraphStyle) -> Paragraph:
    """Escape words; ids and digests without blanks break wherever the line ends."""
    return Paragraph(escape(words).replace("\n", "<br/>"), style)

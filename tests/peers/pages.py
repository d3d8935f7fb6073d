"""The CV in each peer's own language: HTML, Typst markup, ReportLab flowables."""
import html
import io

import cv as model

CSS = """
@page { size: A4; margin: 20mm 22.4mm 20mm 25mm; @bottom-right { content: counter(page) ' / ' counter(pages); font: 8.5pt 'Noto Sans' } }
body { font: 10pt/1.3 'Noto Sans', sans-serif; color: #1c1f24; margin: 0 }
h1 { font-size: 16pt; margin: 0 0 4pt } p { margin: 0 }
h2 { font-size: 13pt; font-variant: small-caps; color: #1b4f8a; border-bottom: .5pt solid #a9bdd4; margin: 10pt 0 5pt; break-after: avoid }
.entry { display: grid; grid-template-columns: 42.5mm 1fr; margin-top: 6pt } .date { font-size: 10pt; color: #5b6470 }
h3 { font-size: 10pt; margin: 0 } ul { margin: 2pt 0 0; padding-left: 12pt } img { float: right; width: 28.5mm; height: 38mm; object-fit: cover }
"""


def as_html(cv):
    e = html.escape
    name, contact, sections = model.view(cv)
    out = [f"<!doctype html><html lang=en><meta charset=utf-8><title>{e(name)}</title><style>{CSS}</style>"]
    out.append(f'<img src="{cv["photo_url"]}" alt="Photo of {e(name)}"><h1>{e(name)}</h1>')
    out += [f"<p>{e(line)}</p>" for line in contact]
    for heading, rows in sections:
        out.append(f"<h2>{e(heading)}</h2>")
        for row in rows:
            if isinstance(row, str):
                out.append(f"<p>{e(row)}</p>")
                continue
            items = "".join(f"<li>{e(item)}</li>" for item in row["items"])
            out.append(
                f'<div class=entry><p class=date>{e(row["date"])}</p><div><h3>{e(row["title"])}</h3>'
                f'<p>{e(row["place"])}</p><ul>{items}</ul></div></div>'
            )
    return "".join(out)


def as_typst(cv):
    def text(value):
        return "#" + '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    name, contact, sections = model.view(cv)
    out = [
        '#set page(paper: "a4", margin: (top: 20mm, right: 22.4mm, bottom: 20mm, left: 25mm), numbering: "1 / 1", number-align: right)',
        '#set text(font: "Noto Sans", size: 10pt, lang: "en")',
        f'#set document(title: "CV", date: none)',
        f'#place(top + right, image("photo.jpg", width: 28.5mm, height: 38mm, fit: "cover", alt: "Photo"))',
        f"#text(16pt, weight: \"bold\")[{text(name)}]\n",
    ]
    out += [text(line) + " \\" for line in contact]
    for heading, rows in sections:
        out.append(f'\n#block(above: 10pt, below: 6pt, text(13pt, fill: rgb("1b4f8a"), smallcaps[{text(heading)}]))')
        for row in rows:
            if isinstance(row, str):
                out.append(text(row) + "\n")
                continue
            items = "".join(f"[{text(item)}]," for item in row["items"])
            out.append(
                f'#grid(columns: (42.5mm, 1fr), text(10pt, fill: rgb("5b6470"))[{text(row["date"])}],'
                f'[*{text(row["title"])}* \\ {text(row["place"])} #list({items})])'
            )
    return "\n".join(out)


def as_reportlab(cv):
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import Image, ListFlowable, Paragraph, SimpleDocTemplate, Table

    body = ParagraphStyle("body", fontName="Noto", fontSize=10, leading=13)
    date = ParagraphStyle("date", parent=body, fontSize=9, textColor=colors.HexColor("#5b6470"))
    head = ParagraphStyle("head", parent=body, fontSize=13, spaceBefore=9, spaceAfter=4, textColor=colors.HexColor("#1b4f8a"), keepWithNext=1)
    title = ParagraphStyle("title", parent=body, fontSize=16, leading=22)
    e = html.escape
    name, contact, sections = model.view(cv)
    text = [Paragraph(e(name), title)] + [Paragraph(e(line), body) for line in contact]
    picture = Image(io.BytesIO(model.photo(cv)), width=28.5 * mm, height=38 * mm)
    story = [Table([[text, picture]], colWidths=[134 * mm - 6, 28.6 * mm])]
    for heading, rows in sections:
        story.append(Paragraph(e(heading), head))
        for row in rows:
            if isinstance(row, str):
                story.append(Paragraph(e(row), body))
                continue
            cell = [Paragraph(e(row["title"]), body), Paragraph(e(row["place"]), body)]
            if row["items"]:
                cell.append(ListFlowable([Paragraph(e(item), body) for item in row["items"]], bulletType="bullet"))
            story.append(Table([[Paragraph(e(row["date"]), date), cell]], colWidths=[42.5 * mm, 120 * mm]))
    out = io.BytesIO()
    SimpleDocTemplate(out, pagesize=A4, leftMargin=25 * mm, rightMargin=22.4 * mm, topMargin=20 * mm, bottomMargin=20 * mm, title="CV").build(story)
    return out.getvalue()

#!/usr/bin/env python3
"""Renders one CV with Presswork and its peers and prints times and sizes side by side.

See README.md beside this file. Exit status 1 if Presswork itself cannot be measured.
"""
import argparse
import importlib.util
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import cv as model
import pages

FONT = "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf"


class Missing(Exception):
    """A peer that is not installed; the text says how to get it."""


def median_ms(make, runs, clock):
    """Processor milliseconds per document, and the last document."""
    times = []
    document = b""
    for run in range(runs + 3):
        before = clock()
        document = make(run)
        times.append((clock() - before) * 1000)
    return statistics.median(times[3:]), document


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def need(module):
    if importlib.util.find_spec(module) is None:
        raise Missing(f"pip install {module}")


def presswork(cv, runs, scratch):
    program = model.ROOT / "target/release/presswork"
    bench = model.ROOT / "target/release/examples/bench"
    for path in (program, bench):
        if not path.exists():
            raise SystemExit(f"error: {path} is missing; README.md beside this file says how to build it")
    printed = subprocess.run([bench, "--json", str(runs * 10)], check=True, capture_output=True, text=True).stdout
    warm = json.loads(printed)["warm_ms"]
    source, out = scratch / "cv.json", scratch / "presswork.pdf"

    def make(run):
        source.write_text(json.dumps(model.vary(cv, run)))
        subprocess.run([program, "render", source, "--out", out], check=True, capture_output=True)
        return out.read_bytes()

    command, document = median_ms(make, runs, children)
    return warm, command, document


def weasyprint(cv, runs, scratch):
    need("weasyprint")
    from weasyprint import HTML

    warm, document = median_ms(lambda run: HTML(string=pages.as_html(model.vary(cv, run))).write_pdf(pdf_tags=True), runs, time.process_time)
    source = scratch / "cv.html"
    source.write_text(pages.as_html(cv))
    command = f"from weasyprint import HTML; HTML({str(source)!r}).write_pdf({str(scratch / 'w.pdf')!r})"
    cold, _ = median_ms(lambda _: subprocess.run([sys.executable, "-c", command], check=True, capture_output=True).stdout, 5, children)
    return warm, cold, document


def reportlab(cv, runs, scratch):
    need("reportlab")
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    if not os.path.exists(FONT):
        raise Missing("apt-get install fonts-noto-core")
    pdfmetrics.registerFont(TTFont("Noto", FONT))
    warm, document = median_ms(lambda run: pages.as_reportlab(model.vary(cv, run)), runs, time.process_time)
    return warm, None, document


def typst(cv, runs, scratch):
    need("typst")
    import typst as library

    source = scratch / "cv.typ"
    (scratch / "photo.jpg").write_bytes(model.photo(cv))

    def make(run):
        source.write_text(pages.as_typst(model.vary(cv, run)))
        return compiler.compile(input=str(source), format="pdf")

    compiler = library.Compiler(root=str(scratch))
    warm, document = median_ms(make, runs, time.process_time)
    return warm, None, document


def chromium(cv, runs, scratch):
    program = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if program is None:
        raise Missing("apt-get install chromium")
    source, out = scratch / "page.html", scratch / "chromium.pdf"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]

    def make(run):
        source.write_text(pages.as_html(model.vary(cv, run)))
        subprocess.run([program, *flags, f"--print-to-pdf={out}", source.as_uri()], check=True, capture_output=True)
        return out.read_bytes()

    command, document = median_ms(make, 5, children)
    return chromium_warm(cv, runs, program), command, document


def chromium_warm(cv, runs, program):
    if importlib.util.find_spec("playwright") is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()

        def make(run):
            page.set_content(pages.as_html(model.vary(cv, run)))
            return page.pdf(format="A4", prefer_css_page_size=True)

        return median_ms(make, runs, browser_seconds)[0]


def browser_seconds():
    """Processor time of this process and of all its living descendants, in seconds."""
    parents, used = {}, {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        parents[pid] = int(fields[1])
        used[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    mine = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in mine} - mine
        if not more:
            return sum(used.get(pid, 0) for pid in mine)
        mine |= more


def count_pages(document):
    """By pdfinfo, which infra/test.sh installs: page objects may stand in packed streams."""
    if shutil.which("pdfinfo") is None:
        return None
    printed = subprocess.run(["pdfinfo", "-"], input=document, capture_output=True).stdout.decode()
    return int(re.search(r"^Pages:\s+(\d+)", printed, re.M).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30, help="documents per peer after three to warm up (default 30)")
    parser.add_argument("--keep", metavar="DIR", help="leave one PDF of each peer there, to be looked at")
    arguments = parser.parse_args()
    cv = model.load()
    base = None
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; processor time, median of {arguments.runs}\n")
    print(f"| {'':10} | warm ms | ratio | command ms | ratio | pages |   kB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for peer in (presswork, typst, reportlab, weasyprint, chromium):
            try:
                warm, command, document = peer(cv, arguments.runs, pathlib.Path(folder))
            except Missing as missing:
                print(f"| {peer.__name__:10} | not installed: {missing} |")
                continue
            base = base or (warm, command)
            cells = []
            for value, own in ((warm, base[0]), (command, base[1])):
                cells += ["-", "-"] if value is None else [f"{value:.1f}", f"{value / own:.1f}x"]
            shown = count_pages(document) or "-"
            print(f"| {peer.__name__:10} | {' | '.join(cells)} | {shown} | {len(document) / 1000:.0f} |")
            if arguments.keep:
                (pathlib.Path(arguments.keep) / f"{peer.__name__}.pdf").write_bytes(document)


if __name__ == "__main__":
    main()

"""The validation report as one page that needs nothing else, and prints."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from hil.verify.playing import Report, Row

EVIDENCE = {
    "V": "read in the primary text, or in the code or data that the vector names",
    "S": "read in a secondary source that quotes it",
    "C": "computed from such; the header of each file of vectors has the formula",
}
_STYLE = """
body { font: 14px/1.4 sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #111; background: #fff }
table { border-collapse: collapse; width: 100%; margin: .5em 0 2em }
th, td { border-bottom: 1px solid #ccc; padding: .2em .6em .2em 0; text-align: left }
th, td { vertical-align: top; overflow-wrap: anywhere }
th { border-bottom-color: #555; font-weight: 600 }
td.n { text-align: right; white-space: nowrap }
tr.fail td { font-weight: 700; background: #fdd }
h2 { margin: 2em 0 0; font-size: 1.2em }
@media print { body { margin: 0; max-width: none; font-size: 9px } h2 { break-after: avoid } tr { break-inside: avoid } }
"""
_HEAD = ("vector", "clause", "evidence", "input", "expected", "got", "error", "tolerance", "result")


def page(report: Report, versions: str, date: str) -> str:
    """The whole document. versions, date: what ran, and when, in words."""
    failed = len(report.failed)
    total = f"{len(report.rows) - failed} of {len(report.rows)} reference vectors hold"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        "<title>Ridethrough: validation of protection functions</title>",
        f"<style>{_STYLE}</style></head><body><h1>Validation of protection functions</h1>",
        f"<p>{escape(versions)}<br>{escape(date)}</p>",
        f"<p><b>{'FAIL' if failed else 'PASS'}</b>: {total}. ",
        "Each was played through the compiled functions that judge a run.</p>",
        "<p>Evidence: " + "; ".join(f"<b>{tag}</b> {words}" for tag, words in EVIDENCE.items()) + ".</p>",
        _table(("standard", "edition", "vectors", "hold", "evidence"), _summary(report)),
    ]
    for (standard, edition), rows in report.by_standard().items():
        parts.append(f"<h2>{escape(standard)}, {escape(edition)}</h2>")
        parts.append(_table(_HEAD, (_cells(row) for row in rows), [row.passed for row in rows]))
    parts.append("<h2>Left out</h2><p>What is known of these standards but is no vector, and why.</p>")
    parts.append(_table(("standard", "what", "why"), ((one.standard, one.what, one.reason) for one in report.excluded)))
    return "".join([*parts, "</body></html>\n"])


def summary(report: Report) -> list[tuple[str, str, int, int, str]]:
    """Standard, edition, number of vectors, of those that hold, and the evidence they rest on."""
    return [
        (
            *key,
            len(rows),
            sum(row.passed for row in rows),
            " ".join(tag for tag in "VSC" if any(row.evidence == tag for row in rows)),
        )
        for key, rows in report.by_standard().items()
    ]


def _summary(report: Report) -> list[tuple[str, ...]]:
    return [tuple(str(cell) for cell in row) for row in summary(report)]


def _cells(row: Row) -> tuple[str, ...]:
    error = "" if row.error is None else f"{row.error:.3g}"
    result = "holds" if row.passed else "FAILS"
    return (
        row.name,
        row.clause,
        row.evidence,
        f"{row.function}: {row.input}",
        row.expected,
        row.got,
        error,
        row.tolerance,
        result,
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], passed: list[bool] | None = None) -> str:
    lines = ["<table><tr>" + "".join(f"<th>{name}</th>" for name in head) + "</tr>"]
    for i, row in enumerate(rows):
        mark = ' class="fail"' if passed is not None and not passed[i] else ""
        cells = "".join(f"<td{_number(cell)}>{escape(cell)}</td>" for cell in row)
        lines.append(f"<tr{mark}>{cells}</tr>")
    return "\n".join([*lines, "</table>\n"])


def _number(cell: str) -> str:
    return ' class="n"' if cell.replace(".", "").replace("e-", "").isdigit() else ""

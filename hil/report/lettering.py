"""How much room a text takes, from a table: so that texts can be placed before anything is drawn."""

from __future__ import annotations

from hil.errors import printable

# Advances in DejaVu Sans, in ems, rounded up: of the signs named, of capitals, and of the rest.
_NARROW = dict.fromkeys(" .,:;!|'ijlI()[]-·ftr", 0.42)
_WIDE = dict.fromkeys("mwMW@%—…&", 1.0)
_CAPITAL, _OTHER, _IDEOGRAPH = 0.79, 0.64, 1.05
_FIRST_IDEOGRAPH = 0x2E80
_BOLD = 1.13


def width_in(text: str, points: float, *, bold: bool = False) -> float:
    """Inches that a line of text takes at most, in type of so many points."""
    ems = sum(_WIDE.get(sign) or _NARROW.get(sign) or _advance(sign) for sign in text)
    return ems * points / 72.0 * (_BOLD if bold else 1.0)


def _advance(sign: str) -> float:
    if ord(sign) >= _FIRST_IDEOGRAPH:
        return _IDEOGRAPH
    return _CAPITAL if sign.isupper() else _OTHER


def fitted(text: str, most_in: float, points: float, *, bold: bool = False) -> str:
    """The text in one line, cut where it would take more than so many inches."""
    text = printable(text)
    if width_in(text, points, bold=bold) <= most_in:
        return text
    while text and width_in(f"{text}…", points, bold=bold) > most_in:
        text = text[:-1]
    return f"{text}…"

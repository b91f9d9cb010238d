"""A run that takes no time, and the command in this process."""

from __future__ import annotations

import sys

import pytest

from hil.cli import main

SMALL = ["duration='4 s'", "events=[]", "load.start='0 s'", "load.start_ramp='0 s'", "load.iteration='2 s'"]


def command(capsys, monkeypatch, *arguments: object) -> tuple[int, str, str]:
    """Exit code and output of `hil ARGUMENTS`, in this process: starting another takes longer than what is tested."""
    monkeypatch.setattr(sys, "argv", ["hil", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    given = capsys.readouterr()
    return int(left.value.code or 0), given.out, given.err

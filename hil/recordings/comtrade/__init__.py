"""COMTRADE (IEEE C37.111, IEC 60255-24) of 1991, 1999 and 2013: read, and written as 2013 has it.

The fields are those of the standard's clauses on the configuration and data files, and nothing that vendors put beside them.
"""

from hil.recordings.comtrade.writing import write

__all__ = ["write"]

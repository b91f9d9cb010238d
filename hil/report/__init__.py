"""What is read from a finished run: its result, the run again from its folder, its picture, what changed between two runs.

Here lives what needs no more than a result, or the files that a run left. Nothing here runs or judges anything; and what a
terminal shows is made of it in `hil.cli`.
"""

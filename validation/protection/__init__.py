"""Protection functions and limits a second time: over whole recordings, in NumPy and SciPy, from the documentation alone.

Written from docs/protection.md and docs/model.md ("Limits") before its author had seen `hil/kernel/protection`, and by
another way: masks, stretches and sums over a recording instead of a step a tick. Where the two differed one was changed, or
the page. Slopes and blocks came later, from who wrote the kernel's: another way, but no independent reading of the page.
`validation/protection_agreement.py` and `tests/test_protection_agreement.py` hold them against each other.
Nothing here may import `hil`, except `replays`, which runs the compiled functions on the same waveforms.
"""

"""The validation of the compiled protection functions: reference vectors, how each is played, and what came out as a page.

`vectors` holds what standards say must come out, `published` the envelopes and stages of codes and manuals that vectors name,
`runners` how the vectors of a function are played, on a `bench` without a site. Nothing that a run or a check needs lives
here, and no setting of a function (those are in `hil.limits`); no site is judged.
"""

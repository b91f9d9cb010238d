"""From limit states to an answer: results of limits, evidence that is missing, the verdict.

Pure functions of what a run left behind; nothing here runs a site.
"""

"""Section `[incident]`: what happened, who says so, and what is assumed of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hil.scenario.base import Section

Evidence = Literal["primary", "secondary", "memory", "computed"]


class Perturbation(Section):
    """A change under which the outcome is another: it breaks expectations, which shows that they can fail."""

    title: str = Field(min_length=1, description="what is changed, in words")
    set: list[str] = Field(min_length=1, description="what is changed, as of `hil run --set`")
    breaks: list[str] = Field(min_length=1, description="names of the expectations that are not met then")


class Incident(Section):
    """Where the scenario is told of something that happened; nothing here changes the run."""

    narrative: str = Field(min_length=1, description="what happened, when and where")
    source: str = Field(min_length=1, description="who says so: document, date, section")
    evidence: Evidence = Field(
        description="primary: the document was read; secondary: another that quotes it; memory: neither; computed: it follows "
        "from others"
    )
    assumptions: list[str] = Field(default_factory=list, description="what no source says and the scenario needs")
    perturbations: list[Perturbation] = Field(default_factory=list, description="changes, each of which breaks an expectation")

"""What an entry of `[[limits]]` with a profile may say: loading turns it into limits, so no scenario holds one."""

from __future__ import annotations

from pydantic import Field

from hil.scenario.base import CHOICE, Flag, Section


class ProfileEntry(Section):
    """In place of a limit, with no `kind`: all the limits of a grid code or a contract (docs/profiles.md)."""

    profile: str = Field(min_length=1, description="a packaged profile, or the path of a file of one's own, ending in .toml")
    required: Flag = Field(
        default=False, description="true: the verdict is PASS only if its limits hold", json_schema_extra=CHOICE
    )
    unverified: Flag = Field(
        default=False, description="true: limits too whose figures no source confirms", json_schema_extra=CHOICE
    )
    node: str | None = Field(default=None, min_length=1, description="where its limits are judged, such as 'ups.a'")

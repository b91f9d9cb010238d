"""What every section of a scenario shares: no unknown keys, checks on assignment too, ranges stated in words."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _share(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError("must be between 0 and 1")
    return value


Share = Annotated[float, AfterValidator(_share)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


class Section(BaseModel):
    """One table of a scenario. In Python a quantity is an SI float whose name ends in its unit (`rating_va`)."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, populate_by_name=True, allow_inf_nan=False)

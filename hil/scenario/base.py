"""What every section of a scenario shares: no unknown keys, checks on assignment too, ranges stated in words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hil.errors import ScenarioError


def _plain_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("must be a number")  # noqa: TRY004  # as pydantic wants it
    return value


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")  # noqa: TRY004  # as pydantic wants it
    return value


def _share(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError("must be between 0 and 1")
    return value


Number = Annotated[float, BeforeValidator(_plain_number)]
Whole = Annotated[int, BeforeValidator(_whole_number)]
Share = Annotated[Number, AfterValidator(_share)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


class Section(BaseModel):
    """One table of a scenario. In Python a quantity is an SI float whose name ends in its unit (`rating_va`)."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, populate_by_name=True, allow_inf_nan=False)

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign, checked as a file would be. Raises ScenarioError."""
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise ScenarioError(type(self).__name__, f"{name} = {value!r}", f": {message}") from None

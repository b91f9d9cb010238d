"""What every section of a scenario shares: no unknown keys, checks on assignment too, ranges stated in words."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from hil.scenario.quantity import of_name


def _plain_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError("must be a number")  # noqa: TRY004  # as pydantic wants it
    try:
        return float(value)
    except OverflowError:
        raise ValueError("must be a finite number") from None


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ValueError("must be a whole number")  # noqa: TRY004  # as pydantic wants it
    return int(value)


def _flag(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  # as pydantic wants it
    return value


def _share_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError("must be a number between 0 and 1")  # noqa: TRY004  # as pydantic wants it
    return value


def _share(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise ValueError("must be between 0 and 1")
    return value


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] >= value[1]:
        raise ValueError("must be [low, high] with low below high")
    return value


Number = Annotated[float, BeforeValidator(_plain_number)]
Whole = Annotated[int, BeforeValidator(_whole_number)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Share = Annotated[Number, BeforeValidator(_share_number), AfterValidator(_share)]
ShareWindow = Annotated[tuple[Share, Share], AfterValidator(_rising)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


def source(text: str) -> dict[str, Any]:
    """Where the default of a key, or its bound, comes from; goes into its `json_schema_extra`."""
    return {"source": text}


ASSUMED = source("assumed; docs/model.md")
CHOICE = source("a choice of this testbed")

OF_ANOTHER_KIND = "of_another_kind"
"""Marks, in its `json_schema_extra`, a key that a table only bears because another kind of it has it."""


def is_borne(field: FieldInfo) -> bool:
    """Whether a table only bears a key, which is another kind's."""
    return isinstance(field.json_schema_extra, dict) and OF_ANOTHER_KIND in field.json_schema_extra


class Refused(ValueError):
    """A rule that reaches across keys refuses the value at `location`, counted from the section that has the rule."""

    def __init__(self, problem: str, *location: int | str) -> None:
        self.location = location
        super().__init__(problem)


def _key(name: str) -> str:
    """The key of a field: its name without the unit."""
    return of_name(name)[0]


class Section(BaseModel):
    """One table of a scenario. In Python a quantity is an SI float whose name ends in its unit (`rating_va`).

    A file has the same keys without the unit, which stands in the value there (`rating = "25 MVA"`).
    """

    model_config = ConfigDict(
        extra="forbid", validate_assignment=True, populate_by_name=True, allow_inf_nan=False, alias_generator=_key
    )

    if not TYPE_CHECKING:  # which knows the fields

        def __init__(self, /, **values: Any) -> None:
            """Make a section, checked as a file would be. Raises ScenarioError."""
            try:
                super().__init__(**values)
            except ValidationError as error:
                from hil.scenario.problems import construction_error

                raise construction_error(type(self), values, error) from None

        __init__.__pydantic_base_init__ = True  # a table in a file is validated without it

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign, checked as a file would be; what is refused leaves the section as it was. Raises ScenarioError."""
        before = dict(self.__dict__)
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            self.__dict__.update(before)
            from hil.scenario.problems import assignment_error

            raise assignment_error(self, name, value, error) from None

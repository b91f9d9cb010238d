"""Overrides of the flagship that must be refused, with the exact line each must print after `training_job: `."""

from bad_devices import DEVICES
from bad_judged import JUDGED
from bad_loads import LOADS
from bad_site import SITE

TABLE = [*SITE, *LOADS, *DEVICES, *JUDGED]

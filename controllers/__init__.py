"""What commands devices: fast laws that act inside the tick (`kernel`), device drivers, and supervisors.

A driver owns the cycle with its device and every write to it; a supervisor sets targets and knows a contract
(`StorageDevice`, `UpsDevice`), not a device and not whether it is emulated. Nothing here knows the plant or a scenario.
"""

from controllers.contracts import StorageDevice, StorageSample, UpsDevice, UpsMode, UpsSample
from controllers.law import Law
from controllers.supervisor import SocWindowSupervisor, Supervisor
from controllers.ups_supervisor import UpsGroupSettings, UpsGroupSupervisor, UpsSupervisor

__all__ = [
    "Law",
    "SocWindowSupervisor",
    "StorageDevice",
    "StorageSample",
    "Supervisor",
    "UpsDevice",
    "UpsGroupSettings",
    "UpsGroupSupervisor",
    "UpsMode",
    "UpsSample",
    "UpsSupervisor",
]

"""Scenarios: the models of a scenario file, quantities with units, loading and its errors.

The sections are here by name, for scenarios that are made in Python (docs/python.md); in a file and in Python they hold the
same keys. Nothing here runs anything: no plant, no sockets, no clock.
"""

from hil.scenario.absorber import Droop, HighPass, NoAbsorber, OwnLaw, RampLimit
from hil.scenario.clock import Clock
from hil.scenario.cooling import Cooling
from hil.scenario.event import BrokerStop, DeviceLoss, DeviceSilence, GenerationLoss, GridDip, LinkCut, LoadCrash, ServerStop
from hil.scenario.fault import (
    AnswersGarbled,
    AnswersLate,
    AnswersLost,
    BatteryDead,
    BatteryHot,
    ConnectionsDropped,
    ContactorOpen,
    Derating,
    DeviceReboot,
    DeviceTrip,
    MessagesLate,
    MessagesTwice,
    PllLoss,
    PowerReading,
    RectifierFault,
    RequestsRefused,
    SocDrift,
    ValuesMissing,
    ValuesStale,
    WeakCells,
)
from hil.scenario.grid import Grid, Measurement, Transformer
from hil.scenario.limit import (
    BatteryTemperature,
    ConverterCurrent,
    OnBattery,
    Overfrequency,
    Overvoltage,
    PeakToPeak,
    RampRate,
    RateOfChange,
    Recovery,
    SocRange,
    Underfrequency,
    Undervoltage,
)
from hil.scenario.link import Link
from hil.scenario.load import InferenceLoad, TraceLoad, TrainingLoad
from hil.scenario.meter import Meter
from hil.scenario.modbus import UpsModbusSection
from hil.scenario.model import Scenario
from hil.scenario.mqtt import MeterMqttSection, Mqtt, UpsDriverSection, UpsMqttSection
from hil.scenario.record import AlsoRecord, Record
from hil.scenario.storage import Bess, Driver
from hil.scenario.supervisor import OwnSupervisor, SocWindow, UpsGroup
from hil.scenario.ups import Ups

__all__ = [
    "AlsoRecord",
    "AnswersGarbled",
    "AnswersLate",
    "AnswersLost",
    "BatteryDead",
    "BatteryHot",
    "BatteryTemperature",
    "Bess",
    "BrokerStop",
    "Clock",
    "ConnectionsDropped",
    "ContactorOpen",
    "ConverterCurrent",
    "Cooling",
    "Derating",
    "DeviceLoss",
    "DeviceReboot",
    "DeviceSilence",
    "DeviceTrip",
    "Driver",
    "Droop",
    "GenerationLoss",
    "Grid",
    "GridDip",
    "HighPass",
    "InferenceLoad",
    "Link",
    "LinkCut",
    "LoadCrash",
    "Measurement",
    "MessagesLate",
    "MessagesTwice",
    "Meter",
    "MeterMqttSection",
    "Mqtt",
    "NoAbsorber",
    "OnBattery",
    "Overfrequency",
    "Overvoltage",
    "OwnLaw",
    "OwnSupervisor",
    "PeakToPeak",
    "PllLoss",
    "PowerReading",
    "RampLimit",
    "RampRate",
    "RateOfChange",
    "Record",
    "Recovery",
    "RectifierFault",
    "RequestsRefused",
    "Scenario",
    "ServerStop",
    "SocDrift",
    "SocRange",
    "SocWindow",
    "TraceLoad",
    "TrainingLoad",
    "Transformer",
    "Underfrequency",
    "Undervoltage",
    "Ups",
    "UpsDriverSection",
    "UpsGroup",
    "UpsModbusSection",
    "UpsMqttSection",
    "ValuesMissing",
    "ValuesStale",
    "WeakCells",
]

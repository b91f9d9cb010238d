"""A small MQTT 3.1.1 broker on the caller's asyncio loop, for tests and demonstrations without set-up.

`packets` is the wire without a transport, `topics` which subscription a message matches, `session` what a client is owed,
`connection` one client's socket, `broker` who is who and the way of a message. No threads, no files and no clock but the
loop's, so that it runs in lock-step; nothing here knows what the messages mean. docs/mqtt.md says what it does not have.
"""

from hil.broker.broker import Broker
from hil.broker.session import Counts, Limits

__all__ = ["Broker", "Counts", "Limits"]

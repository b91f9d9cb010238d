"""What goes wrong on the wire when it is told to: which requests it strikes, what a client sees, and when."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from modbus_support import Bank, conversation, frame, read, rtu, write_one

from firmware_sim.modbus.engine import Units
from firmware_sim.modbus.faults import ON_A_LINE, ON_MBAP, ON_RTU_OVER_TCP, Fault, WireFaults
from firmware_sim.modbus.framing import Mbap, Rtu

SOUND = frame(5, write_one(7, 70))


def outcome(fault: Fault, *more: Fault, possible=ON_MBAP, framed=Mbap.frame, unit=1):
    """What a write to register 7 gets, and what register 7 holds then."""
    bank, faults = Bank(), WireFaults(possible, 1, "bess.main")
    for each in (fault, *more):
        faults.set(each)
    units = Units({1: bank, 2: Bank()}, serial=possible is not ON_MBAP)
    return faults.answer(units, (5, unit, write_one(7, 70)), framed, None), bank.values[7]


@pytest.mark.parametrize(("fault", "expected", "held"), [
    (Fault("delay", delay_s=0.5), (SOUND, 0.5, False), 70),
    (Fault("ignore"), (b"", 0.0, False), 7),
    (Fault("drop"), (b"", 0.0, False), 70),
    (Fault("exception"), (frame(5, b"\x86\x04"), 0.0, False), 7),
    (Fault("exception", code=6), (frame(5, b"\x86\x06"), 0.0, False), 7),
    (Fault("wrong_transaction"), (frame(6, write_one(7, 70)), 0.0, False), 70),
    (Fault("wrong_length"), (frame(5, write_one(7, 70), length=7), 0.0, False), 70),
    (Fault("disconnect"), (b"", 0.0, True), 70),
    (Fault("drop", unit=2), (SOUND, 0.0, False), 70),
    (Fault("drop", share=0.0), (SOUND, 0.0, False), 70),
], ids=str)  # fmt: skip
def test_what_each_fault_does(fault, expected, held):
    assert outcome(fault) == (expected, held)


def test_faults_of_rtu_and_several_at_once():
    sound = rtu(1, write_one(7, 70))
    got, held = outcome(Fault("bad_crc"), Fault("delay", delay_s=0.1), possible=ON_A_LINE, framed=Rtu.frame)
    assert got == (sound[:-1] + bytes((sound[-1] ^ 0xFF,)), 0.1, False)
    garbage, _ = outcome(Fault("garbage"), possible=ON_RTU_OVER_TCP, framed=Rtu.frame)
    assert len(garbage.frame) == len(sound)
    assert garbage.frame != sound
    assert garbage == outcome(Fault("garbage"), possible=ON_RTU_OVER_TCP, framed=Rtu.frame)[0]
    assert outcome(Fault("exception"), possible=ON_A_LINE, framed=Rtu.frame, unit=9)[0] == (b"", 0.0, False)


@pytest.mark.parametrize(("fault", "what"), [
    (Fault("bad_crc"), "bad_crc.*must be one of delay, disconnect, drop"),
    (Fault("drop", share=1.5), "share 1.5"),
    (Fault("delay", delay_s=-1.0), "delay_s -1.0"),
])  # fmt: skip
def test_what_cannot_be(fault, what):
    with pytest.raises(ValueError, match=what):
        WireFaults(ON_MBAP, 0, "").set(fault)


def struck(seed: int, device: str, share: float = 0.3) -> list[tuple[str, int, int]]:
    """Which of a thousand requests two faults strike."""
    faults, heard = WireFaults(ON_MBAP, seed, device), []
    faults.struck = lambda *strike: heard.append(strike)
    faults.set(Fault("drop", share=share))
    faults.set(Fault("delay", share=share, delay_s=1.0))
    units = Units({1: Bank()})
    for number in range(1000):
        faults.answer(units, (number, 1, read(1, 1)), Mbap.frame, None)
    return heard


def test_draws_repeat_and_hang_on_seed_device_and_kind():
    strikes = struck(1, "a")
    assert strikes == struck(1, "a")
    numbers = [[number for kind, _, number in strikes if kind == of] for of in ("drop", "delay")]
    assert numbers[0] != numbers[1]
    assert all(250 < len(each) < 350 for each in numbers)  # 300 ± 3.4 standard deviations
    assert all(a != b for a, b in itertools.combinations((strikes, struck(2, "a"), struck(1, "b")), 2))
    assert len(struck(1, "a", share=1.0)) == 2000


@conversation(virtual_time=True)
async def test_late_answers_keep_their_order_and_their_time(client):
    loop, faults = asyncio.get_running_loop(), client.server.faults
    faults.set(Fault("delay", delay_s=0.5))
    client.send(frame(1, read(1, 1)))
    await asyncio.sleep(0.1)
    client.send(frame(2, read(2, 1)))
    await asyncio.sleep(0.1)
    faults.clear("delay")
    client.send(frame(3, read(3, 1)))  # waits for those before it
    other = await client.another()
    other.send(frame(4, read(4, 1)))  # does not
    assert (await other.tids(1), loop.time()) == ([4], 0.2)
    assert (await client.tids(1), loop.time()) == ([1], 0.5)
    assert (await client.tids(2), loop.time()) == ([2, 3], 0.6)
    client.send(frame(5, read(1, 1)))
    assert (await client.tids(1), loop.time()) == ([5], 0.6)


@conversation(virtual_time=True)
async def test_a_client_is_owed_so_much_and_gets_it_half_closed(client):
    """While 16 answers wait, nothing more is read; what has been read is answered even to one that has said its last."""
    loop, server = asyncio.get_running_loop(), client.server
    server.faults.set(Fault("delay", delay_s=0.5))
    client.send(*(frame(n, read(1, 1)) for n in range(16)))
    await asyncio.sleep(0.1)
    client.send(frame(16, read(1, 1)))
    await asyncio.sleep(0.1)
    assert server.requests == 16
    client.writer.write_eof()
    assert (await client.tids(16), loop.time()) == ([*range(16)], 0.5)
    assert (await client.tids(1), loop.time()) == ([16], 1.0)
    assert await client.reader.read() == b""


@conversation(virtual_time=True)
async def test_a_disconnect_comes_after_the_request_and_before_others(client):
    client.server.faults.set(Fault("disconnect"))
    client.send(frame(1, write_one(7, 70)), frame(2, write_one(8, 80)))
    assert await client.reader.read() == b""
    client.server.faults.clear()
    other = await client.another()
    other.send(frame(3, read(7, 2)))
    assert await other.reply() == (3, 1, b"\x03\x04\x00\x46\x00\x08")


@conversation(virtual_time=True)
async def test_a_server_that_stops_says_no_more(client):
    client.server.faults.set(Fault("delay", delay_s=0.5))
    client.send(frame(1, read(1, 1)), frame(2, read(1, 1), protocol=7))
    await asyncio.sleep(0.1)
    await client.server.stop()
    await asyncio.sleep(1.0)
    assert await client.reader.read() == b""

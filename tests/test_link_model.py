"""What a link draws for a message, against closed forms; and where messages end."""

from __future__ import annotations

import math
import struct
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hil.links import LinkModel
from hil.links.framer import MOST_BYTES, Framer
from hil.links.model import RETRANSMIT_S

MANY = 20_000


def delays(model: LinkModel, way: str = "to_device", connection: int = 0) -> np.ndarray:
    return np.array([model.delay(way, connection, number).seconds for number in range(MANY)])


def test_without_jitter_and_loss_it_is_the_latency():
    assert LinkModel().delay("to_device", 0, 0) == (0.0, 0)
    assert LinkModel(0.015).delay("to_controller", 3, 99) == (0.015, 0)


@pytest.mark.parametrize(("latency_s", "jitter_s"), [(0.015, 0.005), (0.015, 0.015), (1.0, 0.001)])
def test_jitter_is_uniform_around_the_latency(latency_s, jitter_s):
    drawn = delays(LinkModel(latency_s, jitter_s, seed=11, name="energy"))
    assert drawn.min() >= latency_s - jitter_s
    assert drawn.max() <= latency_s + jitter_s
    assert stats.kstest(drawn, stats.uniform(latency_s - jitter_s, 2 * jitter_s).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 4 / math.sqrt(MANY)  # one message says nothing of the next


def test_no_delay_is_negative():
    assert delays(LinkModel(0.0, 0.005)).min() == 0.0


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.1])
def test_losses_are_geometric_and_time_outs_double(loss):
    model = LinkModel(0.015, loss=loss, seed=4)
    drawn = [model.delay("to_device", 0, number) for number in range(MANY)]
    counts = np.bincount([lost for _, lost in drawn], minlength=4)
    expected = MANY * (1 - loss) * loss ** np.arange(4)
    assert np.all(np.abs(counts[:4] - expected) < 5 * np.sqrt(expected) + 1)
    for seconds, lost in drawn:
        assert seconds == pytest.approx(0.015 + RETRANSMIT_S * (2**lost - 1), rel=1e-12)
    # E[2^N - 1] with P(N = n) = (1 - p) p^n is p / (1 - 2p); its spread needs p < 1/4, a fair mean p < 1/8.
    mean = 0.015 + RETRANSMIT_S * loss / (1 - 2 * loss)
    second = (1 - loss) * (1 / (1 - 4 * loss) - 2 / (1 - 2 * loss) + 1 / (1 - loss))
    spread = RETRANSMIT_S * math.sqrt(second - (loss / (1 - 2 * loss)) ** 2)
    assert np.mean([seconds for seconds, _ in drawn]) == pytest.approx(mean, abs=5 * spread / math.sqrt(MANY))


def test_time_outs_stop_growing_and_losses_end():
    worst = max(LinkModel(loss=0.999).delay("to_device", 0, number) for number in range(50))
    assert worst.retransmissions == 15
    # 0.2, 0.4 … 102.4 s, then five of 120 s: the time-outs of Linux, of which the last but one is at 804.6 s.
    assert worst.seconds == pytest.approx(0.2 * (2**10 - 1) + 5 * 120.0)
    assert LinkModel(loss=0.999, retransmit_s=500.0).delay("to_device", 0, 0).seconds == pytest.approx(15 * 500.0)


def test_draws_are_keyed_by_seed_name_direction_connection_and_number():
    model = LinkModel(0.5, 0.5, seed=1, name="a")
    drawn = delays(model)
    assert np.array_equal(drawn, delays(LinkModel(0.5, 0.5, seed=1, name="a")))
    others = [
        delays(LinkModel(0.5, 0.5, seed=2, name="a")),
        delays(LinkModel(0.5, 0.5, seed=1, name="b")),
        delays(model, "to_controller"),
        delays(model, connection=1),
    ]
    for other in others:
        assert abs(np.corrcoef(drawn, other)[0, 1]) < 4 / math.sqrt(MANY)
    assert model.delay("to_device", 1, 1) != model.delay("to_device", 11, 0)


def test_draws_are_the_same_on_every_machine():
    """Written down once; a change would change every recorded run with a link."""
    model = LinkModel(0.015, 0.005, loss=0.3, seed=7, name="energy")
    drawn = [model.delay("to_device", 0, number).seconds for number in range(3)]
    assert drawn == [0.019452332870817792, 0.018353394739814947, 0.018902698565598692]


# Framers.


def modbus(tid: int, body: bytes) -> bytes:
    return struct.pack(">HHH", tid, 0, len(body)) + body


def mqtt(first: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:  # MQTT 3.1.1, section 2.2.3
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes((first,)) + bytes(digits) + body


MODBUS = st.builds(modbus, st.integers(0, 65_535), st.binary(min_size=2, max_size=254))
MQTT = st.builds(mqtt, st.integers(0x10, 0xFF), st.binary(max_size=300) | st.integers(0, 40_000).map(bytes))
CUTS = st.lists(st.integers(0, 3000), max_size=30)


def cut(protocol: str, stream: bytes, cuts: list[int]) -> tuple[list[bytes], bytes]:
    framer = Framer(protocol)
    edges = [0, *sorted(min(at, len(stream)) for at in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges) if end > start]
    found = [message for piece in pieces for message in framer.cut(piece)]
    return found, framer.rest()


@given(st.lists(MODBUS, max_size=8), CUTS, st.integers(1, 7))
def test_modbus_frames_in_any_segmentation(frames, cuts, left):
    last = modbus(1, b"\x01\x03\x00")[:left]
    assert cut("modbus_tcp", b"".join(frames) + last, cuts) == (frames, last)


@given(st.lists(MQTT, max_size=5), CUTS, st.integers(1, 3))
def test_mqtt_packets_in_any_segmentation(packets, cuts, left):
    last = mqtt(0x30, b"abc")[:left]
    assert cut("mqtt", b"".join(packets) + last, cuts) == (packets, last)


@given(st.sampled_from(["modbus_tcp", "mqtt", "stream"]), st.binary(max_size=3000), CUTS)
def test_nothing_is_lost_or_added(protocol, stream, cuts):
    found, rest = cut(protocol, stream, cuts)
    assert b"".join(found) + rest == stream
    assert b"" not in found


@pytest.mark.parametrize(
    ("protocol", "bad"),
    [
        ("modbus_tcp", b"\x00\x01\x00\x01\x00\x06"),  # not protocol 0
        ("modbus_tcp", b"\x00\x01\x00\x00\x00\x01"),  # no function code
        ("modbus_tcp", b"\x00\x01\x00\x00\x00\xff"),  # longer than a frame may be
        ("mqtt", b"\x00\x00"),  # a reserved type
        ("mqtt", b"\x30\xff\xff\xff\xff"),  # a length of more than four bytes
        ("mqtt", b"\x30\x81\x80\x40"),  # longer than is kept together: 1 MiB and a byte
    ],
)
def test_what_is_no_frame_goes_as_it_comes_from_then_on(protocol, bad):
    good = modbus(5, b"\x01\x03") if protocol == "modbus_tcp" else mqtt(0xC0, b"")
    framer = Framer(protocol)
    assert framer.cut(good + bad + b"more") == [good, bad + b"more"]
    assert framer.cut(good[:1]) == [good[:1]]
    assert framer.rest() == b""


def test_the_longest_mqtt_packet_that_is_kept_together():
    packet = mqtt(0x30, bytes(MOST_BYTES))
    framer = Framer("mqtt")
    assert framer.cut(packet[:-1]) == []
    assert framer.cut(packet[-1:]) == [packet]

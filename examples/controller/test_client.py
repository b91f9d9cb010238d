"""A client of one's own against the emulated devices of a scenario, which run in real time while the test does."""

from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP


def test_a_client_reads_and_writes(hil_devices):
    """What a SunSpec client writes is what the inverter has."""
    devices = hil_devices("campus.toml")
    place = devices["bess.main"]
    client = SunSpecModbusClientDeviceTCP(slave_id=place.unit, ipaddr=place.host, ipport=place.port, timeout=10)
    client.scan()
    try:
        control = client.DERCtlAC[0]
        control.WSet.cvalue, control.WSetEna.cvalue = -500e3, 1
        control.write()
        control.read()
    finally:
        client.close()
    assert control.WSet.cvalue == -500e3
    assert devices.rows()["bess.main"].written is not None

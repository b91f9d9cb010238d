"""A controller under test: a supervisor that brings a battery back to a state of charge, gently."""

from controllers import StorageDevice, Supervisor


class SocKeeper(Supervisor):
    """Charge below the target and discharge above it, in proportion, and never with more than `most_w`."""

    def __init__(self, target: float = 0.5, gain_w: float = 20e6, most_w: float = 2e6, period_s: float = 0.1) -> None:
        self.target, self.gain_w, self.most_w, self.period_s = target, gain_w, most_w, period_s

    async def run(self, device: StorageDevice) -> None:
        """Set the battery's power ten times a second; + discharges."""
        async for _ in self.every(self.period_s):
            battery = await device.read()
            power_w = (battery.soc - self.target) * self.gain_w
            await device.set_active_power(max(-self.most_w, min(self.most_w, power_w)))

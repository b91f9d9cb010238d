"""Network UPS Tools, unmodified: a driver and its server on loopback, without systemd, and the client that reads them."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

PATIENCE_S = 20.0


class Nut:
    """`upsc` and `upscmd` for one UPS."""

    def __init__(self, address: str, environment: dict[str, str]) -> None:
        self._address = address
        self._environment = environment

    async def _output(self, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        out, _ = await process.communicate()
        return out.decode()

    async def read(self) -> dict[str, str]:
        """All variables by name; none while the driver has no data."""
        lines = (await self._output("upsc", self._address)).splitlines()
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    async def until(self, condition: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """The variables, once they meet a condition."""
        variables: dict[str, str] = {}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while not condition(variables := await self.read()):
                    await asyncio.sleep(0.1)
        assert condition(variables), variables
        return variables

    async def shows(self, *tokens: str, also: Callable[[dict[str, str]], bool] = bool) -> dict[str, str]:
        """The variables, once `ups.status` has all these tokens, and `OL` or `OB` only if among them.

        also: what must hold of them too; a driver may have read the rest of a poll before the plant moved.
        """
        either = {"OL", "OB"} - set(tokens)

        def met(variables: dict[str, str]) -> bool:
            status = set(variables.get("ups.status", "").split())
            return set(tokens) <= status and not either & status and also(variables)

        return await self.until(met)

    async def command(self, name: str) -> None:
        """An instant command."""
        await self._output("upscmd", "-u", "admin", "-p", "secret", self._address, name)


@contextlib.asynccontextmanager
async def nut(folder: Path, driver: str, **settings: object) -> AsyncIterator[Nut]:
    """Run a driver with its settings of `ups.conf`, and a server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration, state = folder / "conf", folder / "state"
    configuration.mkdir()
    state.mkdir()
    lines = ["[ups]", f"driver = {driver}", *(f'{name} = "{value}"' for name, value in settings.items())]
    (configuration / "ups.conf").write_text("\n".join(lines) + "\n")
    (configuration / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {port}\n")
    users = configuration / "upsd.users"
    users.write_text("[admin]\npassword = secret\ninstcmds = ALL\n")
    users.chmod(0o640)
    environment = os.environ | {"NUT_CONFPATH": str(configuration), "NUT_STATEPATH": str(state)}
    place = shutil.which(driver)
    assert place is not None
    server = str(Path(place).with_name("upsd"))  # /usr/sbin/upsd is Debian's wrapper, which wants to be configured
    started = []
    user = getpass.getuser()
    try:
        for program, *options in ((place, "-a", "ups"), (server,)):
            with (folder / f"{Path(program).name}.log").open("w") as log:
                command = (program, *options, "-u", user, "-D")
                started.append(await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log))
        yield Nut(f"ups@127.0.0.1:{port}", environment)
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

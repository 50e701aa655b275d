"""What the lab needs of the machine: Samba, its fixed ports, the system's Python."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEM_PYTHON = "/usr/bin/python3"  # only the distribution's Python has Samba's modules
FIXED_PORTS = (88, 389, 464, 636, 3268, 3269)  # Samba knows no others for LDAP
PROVISIONING_DATA = Path("/usr/share/samba/setup/provision.ldif")


class LabUnavailable(Exception):
    """This machine cannot run the lab; the message says what to do."""


def require_samba() -> None:
    """Raise LabUnavailable unless all the parts of Samba that the lab uses are installed."""
    server = shutil.which("samba", path=system_environment()["PATH"])
    if server is None or not PROVISIONING_DATA.exists() or not _has_samba_modules():
        raise LabUnavailable("the Samba domain controller is not installed; run scripts/install-lab")


@contextmanager
def claimed_loopback_address() -> Iterator[str]:
    """Give the first of 127.0.0.2-254 on which Samba's ports are free, for the length of a `with` block.

    Other labs of this machine keep off it, also while its ports are not yet taken. Raises
    LabUnavailable when there is no such address.
    """
    for last in range(2, 255):
        address = f"127.0.0.{last}"
        with socket.socket(socket.AF_UNIX) as claim:
            try:
                claim.bind(f"\0auditor-lab-{address}")  # in the abstract namespace: gone with the process
                require_free_ports(address)
            except OSError:
                continue
            yield address
            return
    raise LabUnavailable(f"no loopback address has the ports {FIXED_PORTS} free")


def require_free_ports(address: str) -> None:
    """Raise OSError when one of Samba's ports is taken, LabUnavailable when they need more rights."""
    for port in FIXED_PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError as error:
                raise LabUnavailable(f"port {port} needs root; use tests/lab/nonroot") from error


def run(command: list[str], *, folder: Path, standard_input: str = "") -> str:
    """Run a program to its end in `folder` and return its output. Raises RuntimeError with its complaint."""
    finished = subprocess.run(
        command,
        input=standard_input,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=system_environment(),
    )
    if finished.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{finished.stderr[-3000:]}")
    return finished.stdout


def system_environment() -> dict[str, str]:
    """Return our environment with the folders of system programs on the search path."""
    path = os.environ.get("PATH", os.defpath)
    return {**os.environ, "PATH": f"{path}:/usr/local/sbin:/usr/sbin:/sbin"}


def _has_samba_modules() -> bool:
    if not Path(SYSTEM_PYTHON).exists():
        return False
    probe = [SYSTEM_PYTHON, "-c", "import samba.provision, samba.samdb"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0

"""Provisions, fills, starts and stops a Samba domain controller on a loopback address."""

from __future__ import annotations

import hashlib
import json
import socket
import ssl
import subprocess
import tarfile
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import ldap3
from ldap3.core.exceptions import LDAPBindError

from tests.lab.certificates import ServerCertificate, issue_server_certificate
from tests.lab.estate import LAB_PASSWORD, Estate
from tests.lab.machine import SYSTEM_PYTHON, claimed_loopback_address, require_samba, run, system_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

HERE = Path(__file__).parent
DEFAULT_CACHE = HERE.parents[1] / ".lab" / "cache"
LDAPS_PORT = 636
START_SECONDS = 30.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The names of a domain and of its one domain controller."""

    realm: str = "CORP.EXAMPLE.COM"
    netbios: str = "CORP"
    host: str = "dc1"

    @property
    def dns_name(self) -> str:
        """The domain in DNS, for example `corp.example.com`."""
        return self.realm.lower()

    @property
    def host_name(self) -> str:
        """The domain controller in DNS, for example `dc1.corp.example.com`."""
        return f"{self.host}.{self.dns_name}"

    @property
    def head(self) -> str:
        """The DN of the domain head, for example `DC=corp,DC=example,DC=com`."""
        return ",".join(f"DC={label}" for label in self.dns_name.split("."))


@dataclass(kw_only=True)
class DomainController:
    """A domain controller that lives as long as its `with` block.

    Two with the same domain and estate are two controllers of one domain, with equal SIDs. `services`
    is Samba's `server services`; `ldap` answers LDAP, LDAPS and the global catalog, `kdc` Kerberos. Without an
    `address` the first free one of 127.0.0.2-254 is taken. Raises LabUnavailable when Samba is not
    installed or its ports are not to be had, RuntimeError when Samba fails.
    """

    domain: Domain = field(default_factory=Domain)
    estate: Estate = field(default_factory=Estate)
    address: str = ""
    services: str = "ldap kdc"
    cache: Path = DEFAULT_CACHE

    def __enter__(self) -> Self:
        require_samba()
        with ExitStack() as stack:
            if not self.address:
                self.address = stack.enter_context(claimed_loopback_address())
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lab-")))
            self.certificate = self._issue_certificate()
            self._configuration.write_text(self._smb_conf(), encoding="ascii")
            self.kerberos_configuration.write_text(self._krb5_conf(), encoding="ascii")
            self._unpack_domain()
            self._populate()
            self._start()
            stack.callback(self._stop)
            self._wait_until_ldaps_answers()
            self._running = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()

    @property
    def ca_file(self) -> Path:
        """The certification authority to trust."""
        return self.certificate.ca_file

    def dn(self, relative: str) -> str:
        """Return the DN of what lies at `relative` below the domain head, which is an empty one."""
        return f"{relative},{self.domain.head}" if relative else self.domain.head

    def user_principal_name(self, name: str) -> str:
        """Return the UPN of the account with that sAMAccountName."""
        return f"{name}@{self.domain.dns_name}"

    def principal(self, name: str) -> str:
        """Return the Kerberos principal of the account with that sAMAccountName."""
        return f"{name}@{self.domain.realm}"

    @property
    def kerberos_configuration(self) -> Path:
        """A `krb5.conf` that knows this controller alone."""
        return self.folder / "krb5.conf"

    def export_keytab(self, principal: str, file: Path) -> None:
        """Write the keys of an account, or of a service principal, into a keytab."""
        options = [f"--principal={principal}", f"--configfile={self._configuration}"]
        run(["samba-tool", "domain", "exportkeytab", str(file), *options], folder=self.folder)

    @contextmanager
    def sign_in(
        self, name: str = "Administrator", password: str = LAB_PASSWORD
    ) -> Iterator[ldap3.Connection]:
        """Bind over LDAPS with the certificate verified, for the length of a `with` block.

        Raises LDAPBindError when refused. What is asked afterwards raises nothing: see `result`.
        """
        tls = ldap3.Tls(
            validate=ssl.CERT_REQUIRED,
            ca_certs_file=str(self.ca_file),
            valid_names=[self.domain.host_name],
        )
        server = ldap3.Server(self.address, LDAPS_PORT, use_ssl=True, tls=tls, get_info=ldap3.NONE)
        user = self.user_principal_name(name)
        connection = ldap3.Connection(server, user, password, check_names=False, receive_timeout=10)
        try:
            if not connection.bind():
                raise LDAPBindError(str(connection.result["description"]))
            yield connection
        finally:
            connection.unbind()

    @property
    def _configuration(self) -> Path:
        return self.folder / "smb.conf"

    @property
    def _domain_folder(self) -> Path:
        return self.folder / "domain"

    def _issue_certificate(self) -> ServerCertificate:
        folder = self.folder / "tls"
        folder.mkdir()
        names = (self.domain.host_name, self.domain.dns_name)
        return issue_server_certificate(folder, dns_names=names, addresses=(self.address,))

    def _smb_conf(self) -> str:
        folder, data = self.folder, self._domain_folder
        options = {
            "netbios name": self.domain.host.upper(),
            "realm": self.domain.realm,
            "workgroup": self.domain.netbios,
            "server role": "active directory domain controller",
            "server services": self.services,
            "interfaces": f"{self.address}/8",
            "bind interfaces only": "yes",
            "private dir": data / "private",
            "state directory": data / "state",
            "cache directory": data / "cache",
            "lock directory": data,
            "pid directory": folder,
            "ncalrpc dir": folder / "ncalrpc",
            "winbindd socket directory": folder / "winbindd",
            "ntp signd socket directory": folder / "ntp",
            "usershare path": "",
            "log file": folder / "samba.log",
            "logging": "file",
            "tls enabled": "yes",
            "tls keyfile": self.certificate.key_file,
            "tls certfile": self.certificate.certificate_file,
            "tls cafile": self.ca_file,
            "ldap server require strong auth": "allow_sasl_over_tls",  # as Windows does by default
            "prefork children": 2,
            "ldb:nosync": "yes",  # twenty times faster writes; nothing here outlives a crash anyway
        }
        return "[global]\n" + "".join(f"  {name} = {value}\n" for name, value in options.items())

    def _krb5_conf(self) -> str:
        realm = self.domain.realm
        names = "".join(f"  {name} = false\n" for name in (
            "dns_lookup_kdc", "dns_lookup_realm", "dns_canonicalize_hostname", "rdns"
        ))
        return (
            f"[libdefaults]\n  default_realm = {realm}\n{names}"
            f"[realms]\n  {realm} = {{\n    kdc = {self.address}\n  }}\n"
        )

    def _unpack_domain(self) -> None:
        with tarfile.open(self._provisioned_domain()) as archive:
            # As an argument the filter needs Python 3.11.4; Debian 12 has 3.11.2. "data" would change file modes.
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)
            archive.extractall(self._domain_folder)

    def _provisioned_domain(self) -> Path:
        """Return the archive of the empty domain; make it the first time."""
        settings = {
            "realm": self.domain.realm,
            "netbios": self.domain.netbios,
            "host": self.domain.host,
            "password": LAB_PASSWORD,
        }
        version = run(["samba", "--version"], folder=self.folder)
        script = (HERE / "provision.py").read_text(encoding="utf-8")
        key = hashlib.sha256(json.dumps([version, script, settings]).encode()).hexdigest()[:16]
        archive = self.cache / f"{self.domain.dns_name}-{key}.tar.gz"
        if not archive.exists():
            self._provision(settings, archive)
        return archive

    def _provision(self, settings: dict[str, str], archive: Path) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="provision-", dir=self.cache) as scratch:
            folder, base = Path(scratch, "domain"), Path(scratch, "base.conf")
            folder.mkdir()
            base.write_text("[global]\n", encoding="ascii")  # else /etc/samba/smb.conf leaks into the domain
            order = {
                **settings, "folder": str(folder), "base_configuration": str(base), "address": self.address
            }
            command = [SYSTEM_PYTHON, str(HERE / "provision.py")]
            run(command, folder=self.folder, standard_input=json.dumps(order))
            unfinished = Path(scratch, archive.name)
            with tarfile.open(unfinished, "w:gz") as writer:
                writer.add(folder, arcname=".", filter=_owned_by_root)
            with suppress(FileExistsError):  # another run was first: its domain is the one
                archive.hardlink_to(unfinished)

    def _populate(self) -> None:
        command = [SYSTEM_PYTHON, str(HERE / "populate.py"), str(self._configuration)]
        run(command, folder=self.folder, standard_input=self.estate.to_json())

    def _start(self) -> None:
        for name in ("ncalrpc", "winbindd", "ntp", "domain/cache"):
            (self.folder / name).mkdir(mode=0o750, exist_ok=True)
        command = ["samba", "--interactive", "--configfile", str(self._configuration), "--model=prefork"]
        with (self.folder / "output.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # an interactive Samba ends when this closes, so it cannot outlive us
                stdout=log,
                stderr=log,
                env=system_environment(),
                start_new_session=True,  # as head of its own process group it ends its workers with itself
            )

    def _wait_until_ldaps_answers(self) -> None:
        trust = ssl.create_default_context(cafile=self.ca_file)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with (
                    socket.create_connection((self.address, LDAPS_PORT), timeout=2) as plain,
                    trust.wrap_socket(plain, server_hostname=self.domain.host_name),
                ):
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"Samba did not answer on {self.address}:{LDAPS_PORT}\n{self._log()}")

    def _log(self) -> str:
        logs = (self.folder / name for name in ("output.log", "samba.log"))
        return "\n".join(log.read_text(errors="replace")[-2000:] for log in logs if log.exists())

    def _stop(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Forget the owner: in a user namespace only root is known to exist."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member

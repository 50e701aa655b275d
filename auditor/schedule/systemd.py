"""systemd: a service that runs once, and the timer that starts it.

Exit codes 1 and 3 are answers, not failures of the service; 2 is not tried again, since nothing changes by that;
4 and a crash are, twice (systemd.service(5): SuccessExitStatus, Restart, RestartPreventExitStatus).
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.schedule.plan import Plan

_CREDENTIALS = "/run/credentials/auditor.service/"


def systemd(plan: Plan) -> dict[str, str]:
    """Return the units by the names of their files."""
    return {"/etc/systemd/system/auditor.service": _service(plan), "/etc/systemd/system/auditor.timer": _timer(plan)}


def _service(plan: Plan) -> str:
    secrets = [
        f"LoadCredential={name}:/etc/auditor/secrets/{name}"
        for path in plan.secret_files
        if path.startswith(_CREDENTIALS) and (name := path.removeprefix(_CREDENTIALS))
    ]
    if plan.environment:
        secrets += [
            f"# NAME=value for {', '.join(plan.environment)}; owned by root, mode 0600",
            "EnvironmentFile=/etc/auditor/auditor.env",
        ]
    lines = "".join(f"{line}\n" for line in secrets)
    if plan.storage is None:
        install = f"#   install -d -o auditor -g auditor -m 0750 {shlex.quote(plan.place)}\n"
        writable = f"ReadWritePaths={_quoted(plan.place, has_variables=False)}"
    else:  # what is not stored yet lies in $XDG_STATE_HOME/auditor
        install = ""
        writable = "StateDirectory=auditor\nEnvironment=XDG_STATE_HOME=%S"
    return f"""\
# Before the first start:
#   useradd --system --shell /usr/sbin/nologin auditor
{install}\
[Unit]
Description=Review of the permissions of Hire2Retire service accounts
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=6h
StartLimitBurst=3

[Service]
Type=oneshot
User=auditor
WorkingDirectory={_escaped(str(plan.config.absolute().parent))}
{lines}ExecStart={_command(plan)}
# 1: findings; 3: something could not be verified; 130: stopped. None is a failure of the service.
SuccessExitStatus=1 3 130
# 4 and a crash are tried again and go on where they were; 2 needs a person.
Restart=on-failure
RestartSec=10min
RestartPreventExitStatus=2
TimeoutStartSec=6h
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
LockPersonality=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=read-only
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
{writable}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
"""


def _timer(plan: Plan) -> str:
    return f"""\
# Switch it on: systemctl daemon-reload && systemctl enable --now auditor.timer
[Unit]
Description=Daily review of the permissions of Hire2Retire service accounts

[Timer]
OnCalendar=*-*-* {plan.at:%H:%M}:00
RandomizedDelaySec=10min
Persistent=yes

[Install]
WantedBy=timers.target
"""


def _command(plan: Plan) -> str:
    executable, *arguments = plan.arguments()
    # Only in what follows the executable are variables replaced
    return " ".join([_quoted(executable, has_variables=False), *map(_quoted, arguments)])


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str, *, has_variables: bool = True) -> str:
    """Quote one argument (systemd.service(5), command lines): `%` has a meaning there, in arguments `$`, too."""
    text = _escaped(text.replace("\\", "\\\\").replace('"', '\\"'))
    text = text.replace("$", "$$") if has_variables else text
    return text if text and not set(text) & set(" '\";\t") else f'"{text}"'

"""Windows Task Scheduler: a task definition (MS-TSCH 2.5, version 1.2).

The last run result of the task is the exit code. A nonzero one starts nothing again.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from auditor.schedule.plan import Plan


def task_scheduler(plan: Plan) -> dict[str, str]:
    """Return the task. It names no encoding and is ASCII, so that any tool may pass it on in any."""
    executable, *arguments = plan.arguments()
    kept = f"; set {', '.join(plan.environment)} for that account" if plan.environment else ""
    text = f"""\
<?xml version="1.0"?>
<!-- Register it: schtasks /Create /TN Auditor /XML FILE. It runs as NETWORK SERVICE, which must be able to read the
     inventory and its secrets and to write {_escaped(plan.place)}{_escaped(kept)}.
     Last run result: 0x0 verified; 0x1 findings; 0x3 something could not be verified; 0x2, 0x4: the run failed. -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Review of the permissions of Hire2Retire service accounts</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>2026-01-01T{plan.at:%H:%M}:00</StartBoundary>
      <ScheduleByDay>
        <DaysInterval>1</DaysInterval>
      </ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Auditor">
      <UserId>S-1-5-20</UserId>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>true</RunOnlyIfNetworkAvailable>
    <ExecutionTimeLimit>PT6H</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Auditor">
    <Exec>
      <Command>{escape(executable)}</Command>
      <Arguments>{escape(subprocess.list2cmdline(arguments))}</Arguments>
      <WorkingDirectory>{escape(str(plan.config.absolute().parent))}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""
    return {"auditor.xml": text.encode("ascii", "xmlcharrefreplace").decode("ascii")}


def _escaped(text: str) -> str:
    """Return text that may stand in a comment, which two hyphens would end."""
    return escape(text).replace("--", "- -")

"""cron: one line of a user's crontab.

cron mails whatever a command prints and ignores its exit code. So nothing is printed for 0; every other code is told
in words, with the line that says where the report is.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.schedule.plan import Plan

_ENVIRONMENT = "/etc/auditor/auditor.env"
_PERCENT = "\\%"  # a plain one ends the command (crontab(5))


def cron(plan: Plan) -> dict[str, str]:
    """Return the crontab."""
    line = (
        f"told=$({shlex.join((*plan.arguments(), '--quiet'))} 2>&1) || "
        '{ code=$?; echo "exit code $code"; echo "$told"; exit "$code"; }'
    )
    comment = ""
    if plan.environment:
        comment = f"# {_ENVIRONMENT} sets {', '.join(plan.environment)} as NAME='value'; mode 0600.\n"
        line = f"set -a; . {_ENVIRONMENT}; set +a; {line}"
    return {
        "crontab": f"""\
# For the crontab of an unprivileged user: crontab FILE. Add MAILTO=someone@example.com to be told by mail.
# Mail comes for every exit code but 0. 1: findings; 3: something could not be verified; 2 and 4: the run failed.
{comment}SHELL=/bin/sh
{plan.at.minute} {plan.at.hour} * * * {line.replace("%", _PERCENT)}
"""
    }

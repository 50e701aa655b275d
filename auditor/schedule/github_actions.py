"""GitHub Actions: a workflow with a schedule.

The results are kept whatever the exit code was; then every code but 0 fails the job, each in its own words.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.schedule.plan import Plan


def github_actions(plan: Plan) -> dict[str, str]:
    """Return the workflow. Its times are in UTC, its paths start from the repository."""
    command = shlex.join(
        ("auditor", *plan.command(plan.config.as_posix(), "runs", plan.waivers and plan.waivers.as_posix()))
    )
    entries = "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in plan.environment)
    environment = f"        env:\n{entries}" if entries else ""
    if plan.secret_files:
        # Comments, since only the operator knows where the files come from
        environment = f"      # Provide first, or refer to env: instead: {', '.join(plan.secret_files)}\n" + environment
    return {".github/workflows/auditor.yml": f"""\
name: Permission review
on:
  schedule:
    - cron: "{plan.at.minute} {plan.at.hour} * * *"
  workflow_dispatch:
permissions:
  contents: read
concurrency:
  group: auditor
jobs:
  review:
    runs-on: ubuntu-latest
    timeout-minutes: 360
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - run: python -m pip install hire2retire-permission-auditor=={plan.version}
      # The last run, to compare with. Whoever may read this repository's caches and artifacts may read the evidence.
      - uses: actions/cache/restore@v4
        with:
          path: runs
          key: auditor-${{{{ github.run_id }}}}
          restore-keys: auditor-
      - name: Review
{environment}\
        run: |
          code=0
          {command} || code=$?
          case $code in
            0) ;;
            1) echo "::error title=Permission review::findings at or above the threshold" ;;
            3) echo "::error title=Permission review::something in scope could not be verified" ;;
            *) echo "::error title=Permission review::the run itself failed (exit code $code)" ;;
          esac
          exit $code
      - uses: actions/cache/save@v4
        if: always()
        with:
          path: runs
          key: auditor-${{{{ github.run_id }}}}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: runs
          path: runs
          retention-days: 90
"""}

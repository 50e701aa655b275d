"""Azure Pipelines: a pipeline with a schedule.

The results are published whatever the exit code was; every code but 0 fails the job, each in its own words.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.schedule.plan import Plan


def azure_pipelines(plan: Plan) -> dict[str, str]:
    """Return the pipeline. Its times are in UTC, its paths start from the repository."""
    command = shlex.join(
        ("auditor", *plan.command(plan.config.as_posix(), "runs", plan.waivers and plan.waivers.as_posix()))
    )
    entries = "".join(f"          {name}: $({name})\n" for name in plan.environment)
    environment = f"        env:\n{entries}" if entries else ""
    if plan.secret_files:
        # Comments, since only the operator knows where the files come from
        environment = f"      # Provide first, or refer to env: instead: {', '.join(plan.secret_files)}\n" + environment
    return {"azure-pipelines.yml": f"""\
trigger: none
pr: none
schedules:
  - cron: "{plan.at.minute} {plan.at.hour} * * *"
    displayName: Permission review
    branches:
      include: [main]
    always: "true"
jobs:
  - job: review
    timeoutInMinutes: "360"
    pool:
      vmImage: ubuntu-latest
    steps:
      - checkout: self
      - task: UsePythonVersion@0
        inputs:
          versionSpec: "3.13"
      - script: python -m pip install hire2retire-permission-auditor=={plan.version}
        displayName: Install
      # The last run, to compare with. Whoever may read this pipeline's artifacts may read the evidence.
      - task: DownloadPipelineArtifact@2
        continueOnError: true  # the first time there is none
        inputs:
          buildType: specific
          project: $(System.TeamProject)
          definition: $(System.DefinitionId)
          buildVersionToDownload: latest
          allowPartiallySucceededBuilds: true
          allowFailedBuilds: true
          artifactName: runs
          targetPath: $(System.DefaultWorkingDirectory)/runs
      - bash: |
          code=0
          {command} || code=$?
          case $code in
            0) ;;
            1) echo "##vso[task.logissue type=error]findings at or above the threshold" ;;
            3) echo "##vso[task.logissue type=error]something in scope could not be verified" ;;
            *) echo "##vso[task.logissue type=error]the run itself failed (exit code $code)" ;;
          esac
          exit $code
        displayName: Review
{environment}\
      - task: PublishTestResults@2
        condition: succeededOrFailed()
        inputs:
          testResultsFormat: JUnit
          testResultsFiles: runs/*/junit.xml
      - task: PublishPipelineArtifact@1
        condition: succeededOrFailed()
        inputs:
          targetPath: $(System.DefaultWorkingDirectory)/runs
          artifact: runs
"""}

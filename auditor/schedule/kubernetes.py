"""Kubernetes: a CronJob and the volume its runs are kept on.

Exit codes 1, 2 and 3 fail the job at once: they are answers, or need a person. 4 and a killed container are tried
again and go on where they were; an evicted pod does not count (Job, podFailurePolicy).
"""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.schedule.plan import Plan

_CONFIG = "/etc/auditor"
_RUNS = "/var/lib/auditor/runs"
_FORBIDDEN_IN_KEYS = re.compile(r"[^-._a-zA-Z0-9]")


def kubernetes(plan: Plan) -> dict[str, str]:
    """Return the manifest. Its times are in UTC."""
    waivers = f"{_CONFIG}/{plan.waivers.name}" if plan.waivers else None
    arguments = plan.command(f"{_CONFIG}/{plan.config.name}", _RUNS, waivers)
    paths = [plan.beside_inventory(path, _CONFIG) for path in plan.secret_files]
    beside = [path for path in paths if path.startswith(f"{_CONFIG}/")]
    elsewhere = [path for path in paths if path not in beside]
    return {"auditor.yaml": f"""\
# Before it is applied:
#   kubectl create configmap auditor {" ".join(f"--from-file={name}" for name in _config_files(plan))}
{_secret_advice(plan, paths)}\
# A failed job tells that somebody must look: its pod's exit code says why (1 findings, 3 not verified, 2 and 4 failed).
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: auditor-runs
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: 10Gi
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: auditor
spec:
  schedule: "{plan.at.minute} {plan.at.hour} * * *"
  timeZone: Etc/UTC
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  jobTemplate:
    spec:
      backoffLimit: 2
      activeDeadlineSeconds: 21600
      podFailurePolicy:
        rules:
          - action: FailJob
            onExitCodes:
              containerName: auditor
              operator: In
              values: [1, 2, 3]
          - action: Ignore
            onPodConditions:
              - type: DisruptionTarget
                status: "True"
      template:
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          enableServiceLinks: false
          terminationGracePeriodSeconds: 30
          securityContext:
            runAsNonRoot: true
            runAsUser: 10001
            runAsGroup: 10001
            fsGroup: 10001
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: auditor
              image: auditor:{plan.version}  # built from the Containerfile
              args: {json.dumps([*arguments, "--resume", "--log-format", "json"])}
{_environment(plan)}\
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop: [ALL]
              resources:
                requests:
                  cpu: 500m
                  memory: 512Mi
                limits:
                  memory: 2Gi
              volumeMounts:
                - name: config
                  mountPath: {_CONFIG}
                  readOnly: true
                - name: runs
                  mountPath: {_RUNS}
                - name: scratch
                  mountPath: /tmp
{_mounts(elsewhere)}\
          volumes:
            - name: config
              projected:
                sources:
                  - configMap:
                      name: auditor
{_projected(beside)}\
            - name: runs
              persistentVolumeClaim:
                claimName: auditor-runs
            - name: scratch
              emptyDir: {{}}
{_secret_volume(elsewhere)}"""}


def _config_files(plan: Plan) -> list[str]:
    return [str(path) for path in (plan.config, plan.waivers) if path is not None]


def _key(path: str) -> str:
    """Return the key of a file in the secret."""
    return _FORBIDDEN_IN_KEYS.sub("-", PurePosixPath(path).name)


def _secret_advice(plan: Plan, paths: list[str]) -> str:
    wanted = [f"--from-literal={name}=..." for name in plan.environment]
    wanted += [f"--from-file={_key(path)}=..." for path in paths]
    return f"#   kubectl create secret generic auditor {' '.join(wanted)}\n" if wanted else ""


def _environment(plan: Plan) -> str:
    entries = "".join(
        f"""\
                - name: {json.dumps(name)}
                  valueFrom:
                    secretKeyRef:
                      name: auditor
                      key: {json.dumps(name)}
"""
        for name in plan.environment
    )
    return f"              env:\n{entries}" if entries else ""


def _mounts(paths: list[str]) -> str:
    return "".join(
        f"""\
                - name: secrets
                  mountPath: {json.dumps(path)}
                  subPath: {json.dumps(_key(path))}
                  readOnly: true
"""
        for path in paths
    )


def _projected(paths: list[str]) -> str:
    items = "".join(
        f"""\
                        - key: {json.dumps(_key(path))}
                          path: {json.dumps(str(PurePosixPath(path).relative_to(_CONFIG)))}
"""
        for path in paths
    )
    if not items:
        return ""
    return f"""\
                  - secret:
                      name: auditor
                      items:
{items}"""


def _secret_volume(paths: list[str]) -> str:
    if not paths:
        return ""
    return """\
            - name: secrets
              secret:
                secretName: auditor
                defaultMode: 288  # 0440
"""

"""What is to be scheduled, as every target needs to know it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import time

    from auditor.model.sign_in import SecretReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One `auditor run` a day at `at`. Paths are as the operator wrote them; `secrets` are the inventory's.

    With `storage`, the address of object storage, runs are kept there and `output_dir` says nothing.
    """

    executable: Path
    version: str
    config: Path
    output_dir: Path
    waivers: Path | None
    at: time
    secrets: tuple[SecretReference, ...]
    storage: str | None = None

    @property
    def place(self) -> str:
        """Where this machine's runs are kept: an absolute path, or an address."""
        return self.storage or str(self.output_dir.absolute())

    def arguments(self) -> tuple[str, ...]:
        """Return the command on this machine, with absolute paths."""
        waivers = self.waivers and self.waivers.absolute()
        command = self.command(self.config.absolute(), self.place, waivers)
        return (str(self.executable), *command, "--resume")

    @staticmethod
    def command(config: object, output_dir: object, waivers: object | None) -> tuple[str, ...]:
        """Return the command's arguments with these paths."""
        more = ("--waivers", str(waivers)) if waivers is not None else ()
        return ("run", "--config", str(config), "--output-dir", str(output_dir), *more, "--no-progress")

    @property
    def environment(self) -> tuple[str, ...]:
        """The environment variables that hold secrets."""
        return self._locators("env")

    @property
    def secret_files(self) -> tuple[str, ...]:
        """The files that hold secrets, by their absolute paths."""
        return self._locators("file")

    def beside_inventory(self, path: str, folder: str) -> str:
        """Return where a file is once the inventory's folder has become `folder`; one elsewhere stays."""
        here = self.config.absolute().parent
        found = Path(path)
        return str(PurePosixPath(folder, *found.relative_to(here).parts)) if found.is_relative_to(here) else path

    def _locators(self, scheme: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(secret.locator for secret in self.secrets if secret.scheme == scheme))

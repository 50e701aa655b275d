"""The application: commands in groups, and one place that turns failures into exit codes."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from auditor import __version__
from auditor.cli import offline, run
from auditor.cli.access import access
from auditor.cli.checks import checks
from auditor.cli.connections import connections
from auditor.cli.console import LogFormat, say, speak
from auditor.cli.diff import diff
from auditor.cli.doctor import doctor
from auditor.cli.history import history
from auditor.cli.matrix import matrix
from auditor.cli.review import review
from auditor.cli.schedule import schedule
from auditor.cli.schema import schema
from auditor.cli.waivers import waivers
from auditor.errors import Interrupted, InvalidInput, RunFailed

if TYPE_CHECKING:
    from types import FrameType

INVALID_INPUT = 2
RUN_FAILED = 4
INTERRUPTED = 130


class _Commands(TyperGroup):
    """Gives an interrupt its exit code before Typer turns it into a plain 1."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - Typer does not export its context's type
        """Run the command."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except Interrupted as interrupt:
            say("--resume goes on with it, within a day and with the same inventory")
            _say_end(f"interrupted; {interrupt.kept} keeps what was read", INTERRUPTED, "interrupted")
            raise typer.Exit(INTERRUPTED) from interrupt
        except KeyboardInterrupt as interrupt:
            _say_end("interrupted", INTERRUPTED, "interrupted")
            raise typer.Exit(INTERRUPTED) from interrupt
        except BrokenPipeError as error:  # Typer would exit with 1, which says that there are findings
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at the end
            raise RunFailed("whatever reads standard output stopped before everything was written") from error


app = typer.Typer(
    name="auditor",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Audits the accounts behind Hire2Retire connections: does each hold what the vendor documents, "
    "does it hold more, "
    "and what could not be verified. It only ever reads.",
    epilog="Start with: auditor run -c sample_data/inventory.yaml -o runs",
)
app.command(rich_help_panel="Review")(run.run)
app.command(rich_help_panel="Review")(run.readiness)
app.command(rich_help_panel="Review")(access)
app.command(rich_help_panel="Review")(diff)
app.command(rich_help_panel="Stages")(run.collect)
app.command(rich_help_panel="Stages")(offline.evaluate)
app.command(rich_help_panel="Stages")(offline.report)
app.command(rich_help_panel="Review")(offline.verify)
app.command(rich_help_panel="Inputs")(doctor)
app.add_typer(history, name="history", rich_help_panel="Review")
app.add_typer(review, name="review", rich_help_panel="Review")
app.add_typer(schedule, name="schedule", rich_help_panel="Review")
app.add_typer(connections, name="connections", rich_help_panel="Inputs")
app.add_typer(matrix, name="matrix", rich_help_panel="Inputs")
app.add_typer(checks, name="checks", rich_help_panel="Inputs")
app.add_typer(waivers, name="waivers", rich_help_panel="Inputs")
app.command(rich_help_panel="Inputs")(schema)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"auditor {__version__}")
        raise typer.Exit


@app.callback()
def _application(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


class _Stopped(KeyboardInterrupt):
    """Somebody stops the process.

    Python ends a process by the signal, whatever its exit code, once a plain KeyboardInterrupt has passed through an
    exec of a string; importing a dataclass is one.
    """


def _stop(signal_number: int, frame: FrameType | None) -> None:
    del signal_number, frame
    raise _Stopped


def _take_stops_as_interrupts() -> None:
    signal.signal(signal.SIGTERM, _stop)  # what a service manager sends
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # one that is ignored stays ignored
        signal.signal(signal.SIGINT, _stop)


def main() -> None:
    """Run the command line and exit: 2 for bad input, 4 for a failed run or a bug, 130 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what a terminal cannot show is spelled out, never a crash
            stream.reconfigure(errors="backslashreplace")
    _take_stops_as_interrupts()
    speak(LogFormat.TEXT)
    try:
        app()
    except SystemExit as finished:
        if finished.code == INVALID_INPUT:  # Typer has said what is wrong with the options
            _say_end("nothing was contacted", INVALID_INPUT, "usage")
        raise
    except InvalidInput as invalid:
        _say_problems(invalid)
        sys.exit(INVALID_INPUT)
    except RunFailed as failed:
        reason, *advice = str(failed).split("\n")
        for line in advice:
            say(line, level="error")
        _say_end(reason.rstrip(":"), RUN_FAILED, "the run failed")
        sys.exit(RUN_FAILED)
    except Exception:  # noqa: BLE001 - the boundary: a bug shows its traceback and has its own exit code
        for line in traceback.format_exc().splitlines():
            say(line, level="error")
        _say_end("this is a bug of the tool", RUN_FAILED, "the run failed")
        sys.exit(RUN_FAILED)
    finally:
        gc.freeze()  # the process ends: to look through a large record once more would take a second or two


def _say_problems(invalid: InvalidInput) -> None:
    problems = invalid.problems
    for problem in problems:
        say(str(problem), level="error", file=problem.file, line=problem.line, place=problem.place)
    noun = "problem" if len(problems) == 1 else "problems"
    contact = "" if invalid.was_contacted else ", nothing was contacted"
    _say_end(f"{len(problems)} {noun} in the input{contact}", INVALID_INPUT, "input invalid")


def _say_end(what: str, code: int, reason: str) -> None:
    say(f"auditor: {what}; exit {code} ({reason})", level="error", exit_code=code)

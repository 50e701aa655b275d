"""Files for what starts the tool by the clock: one module per scheduler, each with its handling of exit codes."""

"""Tells people about a run. Nothing here changes what the run found or how it ends."""

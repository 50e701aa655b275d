"""The least rights the auditing identity needs: as a list, and as scripts that an administrator may run."""

"""The operator's list of connections: one file, read whole or refused with every problem at once."""

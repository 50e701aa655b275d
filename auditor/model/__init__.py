"""Frozen nouns shared by every stage. Standard library only, no I/O, no clock."""

"""The reads of Exchange Online."""

"""From sources to evidence: what was read, exactly as read, and what could not be read."""

"""Windows security descriptors: bytes to ACEs to an access decision. Imports nothing of this project."""

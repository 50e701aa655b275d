"""The documented permission matrix: profiles as data, their schema and their loader."""

"""Renders results.json into every other format; reads nothing but that record."""

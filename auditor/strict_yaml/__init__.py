"""YAML 1.2 and JSON files as plain values with line numbers, then as objects; every problem at once."""

from auditor.strict_yaml.document import Document, Place, dotted, load_document
from auditor.strict_yaml.shape import did_you_mean, refusal, validate

__all__ = ["Document", "Place", "did_you_mean", "dotted", "load_document", "refusal", "validate"]

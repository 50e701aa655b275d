"""Run folders: written whole or not at all, sealed by a manifest, verified later."""

"""Parsed files and rendered bodies in the build cache."""

"""Ketapress: a folder of dated posts becomes feeds, an archive, and digests that reach every subscriber once."""

__version__ = "0.1.0"

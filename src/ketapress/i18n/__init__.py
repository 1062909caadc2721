"""Every phrase that readers see: one module a surface, one row a language."""

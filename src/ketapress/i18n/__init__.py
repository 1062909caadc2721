"""Every phrase that readers see: one module per surface, one row per language, one lookup (`translation.find_translation`)."""

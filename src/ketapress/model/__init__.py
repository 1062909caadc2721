"""The nouns of the house: frozen values and pure rules. Standard library only; nothing here reads or writes."""

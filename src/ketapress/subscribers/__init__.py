"""Lists of people as other systems write and read them. `csv` is the one dialect there is yet.

Bytes in, people and refusals out, and back again. It touches no disk and no database, and decides nobody's consent.
"""

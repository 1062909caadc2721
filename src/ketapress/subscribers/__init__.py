"""Lists of subscribers in the formats of other systems. `csv_format` is the only one.

Bytes in, import rows and refusals out, and back again. No disk, no database; consent is decided elsewhere.
"""

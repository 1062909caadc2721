"""Engine, schema, migrations and driver errors."""

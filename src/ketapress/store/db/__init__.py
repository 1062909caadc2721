"""The database: engine, schema, migrations, and the errors of its drivers."""

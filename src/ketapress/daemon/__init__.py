"""`ketapress run`: the jobs of one publication, repeated until the process is stopped.

`daemon` starts and stops everything. `scheduler` calls the jobs (`publish_job`, `delivery_job`, `websub_job`, `web_job`,
`watch_job`) at intervals, and `supervisor` restarts a job that crashed. `clock_guard` and `quiescence` say when to wait.
`incidents` reports problems to operators, `counters` numbers to Prometheus. A job decides nothing that a command
would not decide.
"""

"""Decide what is due: a schedule and a moment become a plan for an edition. No clock, no store, no files.

`slots` lists the times that a schedule names, `selection` chooses the posts of a window and says why others are left out,
`planner` decides every due slot once, and `size_budget` makes an edition small enough.
"""

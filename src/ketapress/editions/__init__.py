"""A schedule and a moment become the edition that is due.

`calendar` says which instants a schedule names, `choose` which posts belong to a window and why not, `plan` decides
every due slot once, `fit` makes an edition small enough. All pure: no clock, no store, no files.
"""

"""HTTP: the public site, the subscription pages that mail links to, and endpoints for monitoring.

`app` joins the routes and `server` listens. `static` serves `public/`; `subscription_routes` and `subscription_pages` let
subscribers leave; `metrics` serves Prometheus; `site_state` holds the settings and the store that requests use.
`preview` is the page of `ketapress preview`, for this machine only.

There are no sessions, no cookies, and no scripts on public pages.
"""

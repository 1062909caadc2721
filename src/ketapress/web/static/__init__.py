"""The files of `public/` over HTTP."""

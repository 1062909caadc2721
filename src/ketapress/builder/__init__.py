"""Posts and public editions become the files of `public/`, and only what changed is rendered and written."""

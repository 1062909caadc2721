"""Reports that change nothing: problems, queue, preview, explain, status."""

"""Ids, permalinks and dates of first publication: `.published.jsonl`."""

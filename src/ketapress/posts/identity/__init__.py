"""The identity of posts: ids, URLs and dates of first publication, and their registry `.published.jsonl`."""

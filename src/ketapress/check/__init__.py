"""Act: looking, and changing nothing. What is wrong, what comes next, why a post is in or out, how all of it stands."""

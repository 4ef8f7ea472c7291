"""Search for better params: what may be tried, what comes next, and what dev questions say of it."""

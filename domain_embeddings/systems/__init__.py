"""Search systems: what answers a query, defined once, so that what is measured is what is shipped."""

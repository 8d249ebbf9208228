"""What the tables hold, and what of it is not as it was.

profile             rows, ranges, missing values, lateness, freshness
shifts              how far new rows may be from earlier ones
review              the comparison at an ingest, and its history
"""

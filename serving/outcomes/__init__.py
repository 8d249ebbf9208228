"""What came of decisions: taken in, kept, joined to them, given away.

store          what came of decisions, joined to them
intake         outcomes taken in; a decision with all that came of it
joined         decisions with their outcomes, to learn from
learning       contacts with their answers, written for the response model to learn from
retention      records removed, and given away as Parquet
decisions_app  the commands about records
"""

"""Decision records: what was decided and why, kept so that no answer waits for it.

record       a decision's record
tables       the tables of the record store, and its older formats
store        decisions and outcomes kept: SQLite or PostgreSQL
batches      decisions of batches, kept as Parquet
handed_over  how many decisions a killed service has lost
writer       decisions written without slowing the answer
"""

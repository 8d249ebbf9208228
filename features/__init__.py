"""Ground floor: raw tables in, one meaning of every feature out.

What every room uses:
errors              errors that a user can act on, exit codes
clock               days and time zones
columns             column names that more than one file uses
workspace           the folder of state and its lock
publishing          a folder that appears whole
migrations          older workspaces brought up to date
json_file           small JSON files, written whole
sqlite_file         a SQLite file, a connection for each thread
output              what commands print
out_files           tables and pictures that commands write
pictures            how pictures look
as_of               the --as-of option
session             DuckDB sessions of our own, and words of SQL

Raw tables to canonical tables:
contract, tables    what a canonical table is, and which there are
source              what a source says about itself (`source.toml`)
labels              label definitions of the tasks
raw, checks         reading files as they are, and casting and checking their cells
pseudonyms          ids that are personal numbers, kept as keyed hashes
identity_rules      when two references are one person
identity            which references are one person, and who shares a household
ingestion           all of it, in one step or not at all
quality             what the tables hold, and what shifted
canonical           the tables opened for reading, cut at any as-of
content             fingerprints of their content

Canonical tables to features:
facts               what a source may or may not give
expressions         the one small language of conditions and formulas
measures, tiles     a customer's day as whole numbers
declarations        the forms of a feature
catalogue           the features (`catalogue.yaml`)
evaluators          their values: DuckDB, Spark, numpy
customer_store      what is kept of each customer, and posted events
build               tiles, baskets and the store, made from the tables
shrinkage           figures of customers with little history
life_cycle          stages, tiers, peers

docs                pages generated from declarations
app                 `nextbest ingest`, `nextbest features`
"""

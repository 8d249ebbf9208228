"""Ground floor: raw tables in, one meaning of every feature out.

What every room uses:
errors              errors that a user can act on, exit codes
clock               days and time zones
columns             column names that more than one file uses
workspace           the folder of state and its lock
publishing          a folder that appears whole
migrations          older workspaces brought up to date
json_file           small JSON files, written whole
output              what commands print
session             DuckDB sessions of our own, and words of SQL

Raw tables to canonical tables:
contract, tables    what a canonical table is, and which there are
source              what a source says about itself (`source.toml`)
labels              label definitions of the tasks
raw                 reading files and folders as they are
complete_journey    the sample that ships with the platform
checks, staging     casting and checking, row by row, in SQL
quarantine          rows refused, with the reason
merge               new rows against those already there
pseudonyms          ids that are personal numbers, kept as keyed hashes
ingest              all of it, in one step or not at all
ingest_report       what an ingest did
canonical           the tables opened for reading, cut at any as-of
content             fingerprints of their content

Canonical tables to features:
expressions         the one small language of conditions and formulas
expression_nodes    its checked steps, written as SQL or run
three_valued        its operations, on arrays and on plain values
tiles               a customer's day as whole numbers
declarations        the forms of a feature
catalogue           the features (`catalogue.yaml`)
stages              stages of the life cycle from features
sql                 declarations compiled to DuckDB SQL
offline             features of many customers at any as-ofs
history, store      one customer's tiles and purchases, and where they are kept
online              features of one customer, the same numbers
build               tiles, purchases and the store, made from the tables

docs                pages generated from declarations
app                 `nextbest ingest`, `nextbest features`
"""

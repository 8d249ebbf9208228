"""From a source's files to the canonical tables, in one step or not at all.

complete_journey    the sample that ships with the platform
staging             casting and checking, row by row, in SQL
quarantine          rows refused, with the reason
merge               new rows against those already there
contracts           the tables' pandera contracts, and the same checks in SQL
ingest              all of it
ingest_report       what an ingest did
profile_app         `nextbest features profile`
"""

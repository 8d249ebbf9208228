"""What is kept of each customer for the next question, and events posted in between.

rows, history       one customer's rows as arrays
blobs               them as compact bytes, versioned
store               what any customer store does
sqlite_store        in a file of the build
redis_store         in a server that several hosts share
choice              which of them a workspace has
loading             from a build's relations
events              posted events, checked at the door
journal             them, durably and once
live                one customer's day from its events
posted              the journal's part in a build
owners              whose each reference is, and when
applying            events brought into a store
"""

"""The service over HTTP: BentoML, its door and its desk.

service            the BentoML service
server             the service in this process
door               what a request passes before any endpoint
desk               the engine with keys, records and counters
metrics            what the service counts
freshness          what changes under a running service
parity_check       the same in passing, one customer after another
pages              portrait and API page
openapi            the API described
examples           an answer to each question, for the description
portrait_example   a portrait, likewise
events             what happened this minute, taken in for the next answer
outcome_endpoints  what came of a decision, and why it was made, over HTTP
"""

"""Third floor: from models to what is done for a customer, one at a time or all at once.

scores           what the models say, by name
catalogue_file   the shape of an action catalogue
actions          the catalogue, checked: who may be offered what, where, at what cost and gain
decisions        eligible, expected value, ranking: on arrays, for one customer and for a million
scorer           the champions, and the scores of customers
products         the recommendation champion, with names and reasons
meanings         features and scores in plain words
engine           a workspace opened for answering
schemas          requests and answers, typed
portrait_schemas a portrait's parts, typed
portraits        a portrait's parts: features, stage, tier, peers, missing facts
insights         reasons of churn, potential and cluster, for portraits and the batch
answers          the answer to each question about one customer
events           what happened this minute, taken in for the next answer
batch            scores, products and actions of the whole base, as Parquet
batch_job        a batch's inputs and its account
publishing       an output folder that appears whole
parity           do the service and the batch agree?
records          what was decided, on disk without slowing the answer
keys             who may ask
problems         errors as JSON
door             what a request passes before any endpoint
metrics          what the service counts
desk             the engine with keys, records and counters
pages            portrait and API page
openapi          the API described
service          the BentoML service
server           the service in this process
main_job         everything from raw tables to a running service
steps            what the main job may reuse
status           what a workspace holds
app              the commands
"""

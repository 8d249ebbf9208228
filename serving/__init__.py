"""Third floor: from models to what is done for a customer, one at a time or all at once.

scores           what the models say, by name
catalogue_yaml   a catalogue file read, and what is wrong with it in one sentence
catalogue_file   the shape of an action catalogue
catalogue_names  what its expressions may read beside features and scores
catalogue_checks names that have to exist, shares that add up, limits that agree
action           one action, its expressions compiled
actions          the catalogue, checked: who may be offered what, where, at what cost and gain
catalogue_versions which catalogue is active, which were before, and back
circumstances    stage, tier, place, complaint, consent and triggers as columns
rules            why a pair is not offered, by stable id
groups           control groups and arms, by hash
contact_policy   when a customer is left alone
effects          what an action does: belief corrected by outcomes
offers           a catalogue at a place, made ready once
exploration      another first place now and then, with known chances
decisions        eligible, expected value, ranking: on arrays, for one customer and for a million
decided          what was decided, on arrays and one by one
considered       what was dropped and why; every pair for the record
proposals        ranked actions in words
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
population       the base as of a day, some customers at a time
outlook          what a catalogue would do for the whole base, counted
impossible       conditions that nobody can ever meet
contradictions   what in a catalogue contradicts another part of it
lint             a catalogue judged before customers meet it
preview          who would gain and lose what by another catalogue
batch            scores, products and actions of the whole base, as Parquet
batch_job        a batch's inputs and its account
batch_decisions  a batch's decisions as Parquet rows
publishing       an output folder that appears whole
parity           do the service and the batch agree?
parity_check     the same in passing, one customer after another
deciding         what to propose to one customer
tables_gone      tables that are replaced while a service runs
standing         what the contact policy knows of customers as of a day
contact_tables   contacts, complaints and consents of the tables, as arrays
touches          what is younger than the tables, read where it is kept
contact_history  them with posted events and what came of our own decisions
record           a decision's record
record_tables    the tables of the record store, and its older formats
record_store     decisions and outcomes kept: SQLite or PostgreSQL
batch_records    decisions of batches, kept as Parquet
handed_over      how many decisions a killed service has lost
records          decisions written without slowing the answer
outcome_store    what came of decisions, joined to them
outcomes_schemas outcomes posted and answered, typed
outcomes         outcomes taken in; a decision with all that came of it
joined           decisions with their outcomes, to learn from
retention        records removed, and given away as Parquet
decisions_app    the commands about records
keys             who may ask what, about whom, how often
rate             a token bucket for each key
who              whom a request is about
areas            where customers belong, for keys of some areas
problems         errors as JSON
door             what a request passes before any endpoint
metrics          what the service counts
freshness        what changes under a running service
desk             the engine with keys, records and counters
outcome_endpoints  what came of a decision, and why it was made, over HTTP
pages            portrait and API page
openapi          the API described
service          the BentoML service
server           the service in this process
client           the same requests and answers on the other side of the wire
main_job         everything from raw tables to a running service
steps            what the main job may reuse
status           what a workspace holds
decide_app       the commands that look after the catalogue
app              the commands
"""

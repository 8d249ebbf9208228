"""Third floor: from models to what is done for a customer, one at a time or all at once.

Packages, each reading only those above it:

messages   requests, answers and errors, typed
scoring    what the models say
catalogue  what may be proposed, to whom, at what cost and gain
records    decisions kept, online and from batches
contacts   contacts, answers, complaints and consents
outcomes   what came of decisions
decisions  eligible, contact policy, expected value, ranking, exploration
access     keys, rates, areas and identities
answering  a workspace opened, and its answer to each question
batch      the whole base at once; parity with the service
api        the service over HTTP
review     lint, preview and activation of a catalogue

Beside them:

publishing an output folder that appears whole
client     the same requests and answers on the other side of the wire
main_job   everything from raw tables to a running service
steps      what the main job may reuse
status     what a workspace holds
app        the commands
"""

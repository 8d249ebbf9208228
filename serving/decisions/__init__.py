"""From features and scores to ranked actions: on arrays, for one customer and for a million.

rules           why a pair is not offered, by stable id
groups          control groups and arms, by hash
contact_policy  when a customer is left alone
effects         what an action does: belief corrected by outcomes
offers          a catalogue at a place, made ready once
capacity        who gets an action that there is not enough of
exploration     another first place now and then, with known chances
circumstances   stage, tier, place, complaint, consent and triggers as columns
arbitration     eligible, expected value, ranking: on arrays, for one customer and for a million
decided         what was decided, on arrays and one by one
considered      what was dropped and why; every pair for the record
proposals       ranked actions in words
"""

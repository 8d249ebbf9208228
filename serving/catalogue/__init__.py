"""The action catalogue: what may be proposed to whom, checked before it is used.

reading   a catalogue file read, and what is wrong with it in one sentence
file      the shape of an action catalogue
names     what its expressions may read beside features and scores
checks    names that have to exist, shares that add up, limits that agree
action    one action, its expressions compiled
actions   the catalogue, checked: who may be offered what, where, at what cost and gain
versions  which catalogue is active, which were before, and back
"""

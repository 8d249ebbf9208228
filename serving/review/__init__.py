"""A catalogue judged on the real base before customers meet it.

impossible      conditions that nobody can ever meet
contradictions  what in a catalogue contradicts another part of it
outlook         what a catalogue would do for the whole base, counted
lint            a catalogue judged before customers meet it
preview         who would gain and lose what by another catalogue
decide_app      the commands that look after the catalogue
"""

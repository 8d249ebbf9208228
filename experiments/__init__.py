"""Fourth floor: what was learned from trying things.

compare  two training runs on the same rows: difference, interval, verdict
app      the commands
"""

"""Who may ask what, about whom, how often; and whom a request is about.

keys   who may ask what, about whom, how often
rate   a token bucket for each key
areas  where customers belong, for keys of some areas
who    whom a request is about
"""

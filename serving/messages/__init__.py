"""Requests and answers of the service, typed: what is said over the wire.

schemas    requests and answers, typed
portraits  a portrait's parts, typed
outcomes   outcomes posted and answered, typed
problems   errors as JSON
"""

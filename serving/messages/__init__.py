"""Requests and answers of the service, typed: what is said over the wire.

schemas     requests and answers, typed
cross_sell  the answer to what goes with a basket, typed
portraits   a portrait's parts, typed
outcomes    outcomes posted and answered, typed
problems    errors as JSON
"""

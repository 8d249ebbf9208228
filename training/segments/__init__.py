"""Groups of customers: clusters with lasting ids, and what is within reach of comparable customers.

clusters, clustering    a fit and how it is made
membership              a customer beside their cluster
potential               what peers reach, minus own
segments_app            `nextbest segments`
"""

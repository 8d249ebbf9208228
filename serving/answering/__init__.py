"""The answer to each question about one customer, without a service around it.

engine         a workspace opened for answering
deciding       what to propose to one customer
tables_gone    tables that are replaced while a service runs
insights       reasons of churn, potential and cluster, for portraits and the batch
portraits      a portrait's parts: features, stage, tier, peers, missing facts
loops          and contacts, open cases, consents, the loop of winning back, the household
answers        the answer to each question about one customer
cross_selling  what goes with a basket, for a customer or for anybody
"""

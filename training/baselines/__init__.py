"""Models to beat, fitted in the same run on the same rows as ours.

- `recency`: one feature read as a score (days since the last visit, overdue against the own rhythm).
- `bg_nbd`: buy-till-you-die with four parameters (Fader, Hardie and Lee 2005).
- `pareto_nbd`: the same when customers leave at any moment (Schmittlein, Morrison and Colombo 1987).
- `gamma_gamma`: what a customer spends a visit (Fader and Hardie 2013).
- `logistic`: logistic regression on recency-frequency-money features, or on all.
- `purchases`: what the baselines of recommendation read, and the lists that their scores make.
- `personal_frequency`, `popularity`: what a customer, or everybody, buys anyway.
- `tifuknn`: the customer's own frequent items mixed with those of like customers.
- `item_knn`, `ease`: items that go with those one has.
"""

"""Models to beat, fitted in the same run on the same rows as ours.

- `recency`: one feature read as a score (days since the last visit, overdue against the own rhythm).
- `bg_nbd`: buy-till-you-die with four parameters (Fader, Hardie and Lee 2005).
- `logistic`: logistic regression on recency-frequency-money features, or on all.
- `personal_frequency`, `popularity`: lists for recommendation.
"""

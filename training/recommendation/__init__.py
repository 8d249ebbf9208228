"""Which products a customer will buy next, of all or of those never bought before.

- `histories`: purchases of n customers as arrays, from the canonical tables or from the customer store.
- `ledger`: what a run may read: every purchase line, the items and customers that count, the targets.
- `grouping`, `decay`: sums by key and weights by age that do not depend on who else is in the array.
- `items`: the catalogue of items as of a day, with their popularity, price and place in the assortment.
- `collaborative`: item-to-item weights (EASE), kept sparse.
- `context`: what is known of a group of customers as of a day: own items, affinities, collaborative scores.
- `here`: what sells best in a customer's store.
- `candidates`: the items worth ranking for each customer, from named sources.
- `inputs`: what the ranker reads about a candidate.
- `owned`: what a customer has and does not need again yet.
- `lists`: the best of each customer's scored candidates, how varied and how good such lists were.
- `assortment`: items and collaborative weights of one day, and customers described in their terms.
- `blocks`: labelled candidates of one cutoff, and the lists that scores make of them.
- `examples`: the blocks of training, validation and report cutoffs.
- `ranker`: the boosters of own and of new items.
- `beforehand`: what of a list follows from the customer alone, made by the nightly batch.
- `added`: the list that comes of it with a basket in hand.
- `recommender`: a fitted model at work, the same for one customer and for the base.
- `task`: the training task.
- `associations`: what is bought together, with support, confidence and lift.
- `similar`: which products the same customers buy.
"""

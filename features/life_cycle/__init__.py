"""Where a customer stands: stage, tier, among peers.

rules               stages, tiers, peer groups as data (`rules.yaml`)
stages              stages of the life cycle from features
transitions         moves between stages from month to month
tiers               tiers by value, and the way to the next
concentration       how much of the money comes from how few
peers               a customer's figures beside those of comparable ones
portrait            all of it for one customer
lifecycle_app       `nextbest features stage`, `transitions`, `tiers`, `peers`
"""

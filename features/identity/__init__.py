"""Identity: which references of a source are one person, who shares a household, and how that is known.

    keys          kinds of identifiers, and the form in which they are compared
    records       what is known of each reference, day by day
    matching      similar records: Splink on declared weights
    links         evidence that two references are one person, or share a household
    clusters      persons and households of linked references, as of every day
    corrections   what people have split and merged, kept for good
    resolution    all of it in order: the published folder `identity`
    people        the current customer of a reference
    explain       why a customer is who it is
    profile       what is known of a customer, and the one fact to ask for next
    identity_app  `nextbest features identity ...`

The rules are declared beside the source (`features/identity_rules.py`).
"""

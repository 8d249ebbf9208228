"""Campaigns and who answers them: what the response model learns from.

- `campaign`: facts of one campaign, planned or over.
- `contacts`: who was targeted, who answered, and what of that was known before a day.
- `inputs`: what the model reads about a campaign and a customer's history with campaigns.
- `examples`: rows of (customer, campaign) with the answer.
- `linear`: a logistic regression kept as arrays.
- `blend`: that line and trees together.
- `planned`: a typical campaign's facts, where none is planned.
"""

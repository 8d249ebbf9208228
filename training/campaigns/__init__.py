"""Campaigns and who answers them: what the response model learns from.

- `campaign`: facts of one campaign, planned or over.
- `contacts`: who was targeted, who answered, and what of that was known before a day.
- `own`: contacts of our own decisions as campaigns, once there are enough.
- `inputs`: what the model reads about a campaign and a customer's history with campaigns.
- `campaign_task`: which of the two is learned from, and when.
- `examples`: rows of (customer, campaign) with the answer.
- `linear`: a logistic regression kept as arrays.
- `blend`: that line and trees together.
- `planned`: a typical campaign's facts, where none is planned.
"""

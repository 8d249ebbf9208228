"""What the contact policy knows of customers: contacts, answers, complaints and consents.

standing  what the contact policy knows of customers as of a day
tables    contacts, complaints and consents of the tables, as arrays
touches   what is younger than the tables, read where it is kept
history   them with posted events and what came of our own decisions
told      the same of one customer, one by one, with dates
"""

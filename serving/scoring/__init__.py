"""What the models say: champions opened, customers scored, numbers in plain words.

scores          what the models say, by name
scorer          the champions, and the scores of customers
kept            the scores of the last batch, found by what they were made from
kept_items      what the last batch knew of customers for lists beside a basket, found likewise
meanings        features and scores in plain words
products        the recommendation champion, with names and reasons
shelves         what each store sells
items_in_words  categories and makers of the model's items
basket_reasons  why a product goes with a basket
beside          what to offer beside a basket
"""

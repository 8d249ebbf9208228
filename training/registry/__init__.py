"""Runs, models and champions in MLflow.

store, tracking         the store, its runs, numbers and files
flavor, environment     a model as MLflow has it, and what it was made with
registry                registered versions
comparison, promotion   whether a challenger takes the champion's place
champions               the last five, and the way back
promote_app, models_app `nextbest promote` and `nextbest models`
"""

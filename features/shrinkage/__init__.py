"""Little history, drawn towards what is usual: empirical Bayes.

estimators          the formulas
shrunk              figures of customers and stores
shrunk_app          `nextbest features shrunk`
"""

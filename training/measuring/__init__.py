"""How good predictions are: metrics with household-bootstrap intervals, and whether a promise is kept.

metrics, weighted       what is measured, and its formulas on weighted rows
bootstrap               draws of households
evaluation              values, differences and verdicts of a report frame
gate                    whether a probability is calibrated well enough to be promoted
agreement               predicted beside observed amounts and lists
"""

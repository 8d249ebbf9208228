"""What known customers will bring: expected visits and spend.

task                    the training task
examples                customers with what came in a window
expectation             what Pareto/NBD and Gamma-Gamma expect
boosters                trees that correct it
baselines               what it has to beat
metrics                 what its report measures
"""

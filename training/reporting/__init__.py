"""What a training run tells a reader: one page, one model card, pictures, and the profit of targeting.

report, report_content, report_tables   the page
model_card                              what the model is for, and how far to trust it
gallery, plots, curves, style           pictures
targets                                 distance to what the task has to reach
explained                               contributions of inputs
slices                                  the metric by stage, tier and store group
drift                                   what has changed since the model learnt
profit, profit_page, profit_app         how deep to target; `nextbest profit`
"""

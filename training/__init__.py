"""Second floor: from point-in-time data sets to a champion in the registry.

task             the contract every task fulfils; `Budget`, `QUICK`, `FULL`
tasks            the tasks there are
datasets         snapshots as of a day, cutoffs, visits
examples         rows of eligible customers and what came next
churn            no visit within the horizon
next_purchase    when the next visit comes
value            visits and spend to come; expectation, value_boosters, value_examples, value_metrics
recommendation   what a customer buys next
cold_start       scores of customers with too little history for a model
boosting         XGBoost, the same way for every task
baselines        models to beat
tuning           the Optuna study that chooses a setting
plan             which cutoffs a run uses for what
runs, phases     one training run: choose, report, fit
metrics, weighted, bootstrap, evaluation   what a report says, with intervals
curves, plots, style, report               how it shows it
fitted, flavor   a model without pickle, and as MLflow has it
tracking         MLflow: runs, numbers, files
recording        from a result to what stays
registry         champion and challenger
potential        what comparable customers reach, minus own
clusters, clustering   clusters of customers, and their fit
segments_app     `nextbest segments`
app              `nextbest train` and `nextbest promote`
associations_app   `nextbest affinities`
"""

import os

# Set before XGBoost loads OpenMP: threads that wait sleep. Spinning, two threads take ten times as long when
# something else uses a core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

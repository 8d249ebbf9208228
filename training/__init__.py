"""Second floor: from point-in-time data sets to a champion in the registry.

task, tasks         the contract every task fulfils, and the tasks there are
customer_task, probability   what tasks about customers share; what those with one probability share
churn, decline      no visit; spend below half
next_purchase, distribution   when the next visit comes, as chances by day
category_purchase, categories   the same for a category
rhythm, usual_range a broken habit, and what is usual for a customer
value               visits and spend to come
response, campaigns who answers a campaign
recommendation      what a customer buys next
cold_start          scores of customers with too little history for a model
reasons             why churn is expected, in the reasons that people know
segments            clusters and potential
associations_app    `nextbest affinities`
datasets, dataset   snapshots as of a day; a task's data as pandas, with a split and an estimator
estimators          training's trees as scikit-learn estimators, for bins and for counts
examples            rows of eligible customers and what came next
boosting, odds      XGBoost, the same way for every task; log-odds and the line that calibrates them
baselines           models to beat
plan                which cutoffs a run uses for what
tuning, draws       the Optuna study that chooses a setting, and what its trials try
runs, fits, phases  one training run: choose, fit, report
measuring           metrics with intervals, calibration
recording, report_facts   from a result to what stays
reporting           the report, the model card, pictures, profit
fitted              a model without pickle
registry            MLflow: runs, versions, champions, promotion
app                 `nextbest train`
"""

import os

# Set before XGBoost loads OpenMP: threads that wait sleep. Spinning, two threads take ten times as long when
# something else uses a core.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

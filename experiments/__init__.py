"""Fourth floor: what was learned from trying things.

compare           two training runs on the same rows: difference, interval, verdict
study             a hypothesis tried on variants, seeds and cutoffs: `Study`, `Variant`, `ablation`
study_design      what a study is, checked
study_file        the same as a YAML file
study_runs        its runs: which, in parallel, none twice
study_job         one of them: its key, doing it, what it leaves
study_space       a task with a part of its search space fixed or narrowed
study_statistics  draws of customers and cutoffs, corrected p
study_verdict     every variant against the reference
study_result      verdicts and costs together
study_tracking    a study in MLflow
study_page        page, pictures, JSON
leaderboard       all studies of a workspace
cases             who was contacted or held back, and what they did afterwards
effects           what actions do, measured against control groups
simulator         a customer base whose truth is known: a package with a map of its own
app               the commands
"""

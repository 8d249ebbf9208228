"""The nightly batch: the whole base scored and decided, and compared with the service.

nightly     scores, products and actions of the whole base, as Parquet
job         a batch's inputs and its account
allocation  shares out what there is not enough of
decisions   a batch's decisions as Parquet rows
population  the base as of a day, some customers at a time
parity      do the service and the batch agree?
"""

"""Three ways to the same numbers: DuckDB and Spark for many customers, numpy for one.

sql                 declarations compiled to SQL
relations           what that SQL reads, some customers at a time
offline             features of many customers at any as-ofs
spark               the same by Spark
spark_session       a Spark of our own, and the Java it needs
online              features of one customer, the same numbers
online_days         over tiles
online_keys         over products, stores and household members
"""

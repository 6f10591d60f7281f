"""DAGs made from conf/: when what runs. Imports nothing of jobs or transforms; its environment has no pyspark."""

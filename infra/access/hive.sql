-- Hive, a database for each zone, and one for each recipient's tables. Words for Hive's legacy authorization and for Ranger;
-- SQL-standard authorization knows no rights on databases: there grant the same on each table.
-- Storage itself must be closed as well (infra/access/zones, or the store's policies): Spark reads files, not Hive.
GRANT ALL ON DATABASE gamyeong_source TO ROLE gam_source;

GRANT SELECT ON DATABASE gamyeong_source TO ROLE gam_operator;
GRANT SELECT ON DATABASE gamyeong_quarantine TO ROLE gam_operator;
GRANT ALL ON DATABASE gamyeong_staging TO ROLE gam_operator;
GRANT ALL ON DATABASE gamyeong_published TO ROLE gam_operator;

GRANT ALL ON DATABASE gamyeong_published TO ROLE gam_incident;
GRANT ALL ON DATABASE gamyeong_quarantine TO ROLE gam_incident;

-- The recipient's own database; a REVOKE ends it at once.
GRANT SELECT ON DATABASE gamyeong_published_recipient TO ROLE gam_analyst;

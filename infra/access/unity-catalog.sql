-- Unity Catalog: one external location and one catalog for each zone that lies in an object store.
-- Keys, additional information and evidence are files on the machine of the jobs; no catalog knows them.
-- Replace the recipient's schema by the application's own; each recipient is a group of its own.
GRANT READ FILES, WRITE FILES ON EXTERNAL LOCATION gamyeong_source TO `gam-source`;

GRANT READ FILES ON EXTERNAL LOCATION gamyeong_source TO `gam-operator`;
GRANT READ FILES ON EXTERNAL LOCATION gamyeong_quarantine TO `gam-operator`;
GRANT READ FILES, WRITE FILES ON EXTERNAL LOCATION gamyeong_staging TO `gam-operator`;
GRANT READ FILES, WRITE FILES ON EXTERNAL LOCATION gamyeong_published TO `gam-operator`;

GRANT READ FILES, WRITE FILES ON EXTERNAL LOCATION gamyeong_published TO `gam-incident`;
GRANT READ FILES, WRITE FILES ON EXTERNAL LOCATION gamyeong_quarantine TO `gam-incident`;

-- The analyst reads tables of one schema, no files: a REVOKE ends it at once, before the table is moved.
GRANT USE CATALOG ON CATALOG gamyeong_published TO `gam-analyst`;
GRANT USE SCHEMA ON SCHEMA gamyeong_published.recipient TO `gam-analyst`;
GRANT SELECT ON SCHEMA gamyeong_published.recipient TO `gam-analyst`;

-- Which repository a delivery is about: those of one are looked through for
-- filters that are tried. Lower case; empty until it is evaluated.
ALTER TABLE delivery ADD COLUMN repository TEXT NOT NULL DEFAULT '';
UPDATE delivery SET repository = lower(coalesce(json_extract(record, '$.repository'), ''));
CREATE INDEX delivery_repository ON delivery (account, region, server_type, repository);

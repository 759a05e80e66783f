-- Sums are of whole numbers: parallel workers add in any order.
CREATE TABLE item AS
  SELECT n AS id, n * 7919 % 211 AS class, md5(n::text) AS name,
         jsonb_build_object('n', n, 'tags', jsonb_build_array(n % 7, md5((n % 97)::text))) AS info
  FROM generate_series(1, 60000) AS n;
CREATE INDEX ON item (class, id);
CREATE INDEX ON item USING gin (info jsonb_path_ops);
ANALYZE item;

SELECT md5(string_agg(class || ':' || total, ',' ORDER BY class)) AS grouped FROM
  (SELECT class, sum(id) AS total FROM item GROUP BY class) AS sums;
SET enable_mergejoin = off;
SELECT count(*), sum(a.id + b.id) FROM item a JOIN item b ON a.name = md5(b.id::text);
RESET enable_mergejoin;
SELECT count(*), md5(string_agg(place::text, '' ORDER BY id)) AS ranked FROM
  (SELECT id, rank() OVER (PARTITION BY class ORDER BY name) AS place FROM item) AS ranks;
SELECT count(*) FROM item WHERE info @> '{"tags": [3]}';
SELECT jsonb_object_agg(class, names) -> '7' AS nested FROM
  (SELECT class, jsonb_agg(left(name, 4) ORDER BY id) AS names FROM item
   WHERE id < 5000 GROUP BY class) AS arrays;
SELECT count(*), min(word), max(word) FROM
  (SELECT regexp_split_to_table(regexp_replace(name, '([0-9])', ' \1 ', 'g'), ' +') AS word
   FROM item WHERE id <= 4000) AS words;

SET jit = on;
SET jit_above_cost = 0;
SET jit_inline_above_cost = 0;
SET jit_optimize_above_cost = 0;
SELECT class % 5 AS fifth, sum((id * 3 + class) % 17) FROM item
  WHERE id % 3 <> 1 GROUP BY fifth ORDER BY fifth;
RESET jit_above_cost;

CREATE FUNCTION collatz(start bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE steps int := 0; value bigint := start;
BEGIN
  WHILE value <> 1 AND steps < 1000 LOOP
    value := CASE WHEN value % 2 = 0 THEN value / 2 ELSE value * 3 + 1 END;
    steps := steps + 1;
  END LOOP;
  RETURN steps;
END $$;
SELECT sum(collatz(n)), max(collatz(n)) FROM generate_series(1, 800) AS n;

BEGIN;
UPDATE item SET name = upper(name) WHERE class < 50;
SAVEPOINT half;
DELETE FROM item WHERE class < 100;
ROLLBACK TO half;
COMMIT;
SELECT count(*), count(*) FILTER (WHERE name = upper(name)) AS raised FROM item;
VACUUM FULL item;
SELECT 'end of workload';
